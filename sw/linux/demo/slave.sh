# SPDX-License-Identifier: Apache-2.0
# What a Linux slave does in ./tandem demo --linux and in the tests: it says that it is up, and answers messages.
insmod /lib/tandem/tandem_idm.ko
idmctl send 0 "Linux is up: $(uname -srm) with $(nproc) CPUs"
while message=$(idmctl receive 0); do
  echo "received: $message"
  idmctl send 0 "echo: $message"
done &
