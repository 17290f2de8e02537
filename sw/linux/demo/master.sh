# SPDX-License-Identifier: Apache-2.0
# What the master does in ./tandem demo --linux. The host reads the lines that begin with DEMO.

. /lib/tandem/steps.sh

slave=0
boot=/boot/slave

step "1 the carve-out"
want Reserved grep "^ *$(cat $boot/carve-out)-" /proc/iomem
step "2 the module"
want "" insmod /lib/tandem/tandem_idm.ko
want held idmctl status $slave
step "3 the slave boots Linux"
want "" load-bin-boot -i $boot/initramfs.gz $slave $boot/kernel $boot/device-tree.dtb
want "Linux is up" idmctl receive $slave -t 60
want running idmctl status $slave
step "4 messages to Linux and back"
for number in 1 2 3; do
  want "" idmctl send $slave "message $number"
  want "echo: message $number" idmctl receive $slave -t 10
done
step "5 reset"
want "" idmctl reset $slave
want held idmctl status $slave
step "6 the slave boots another image"
want "" load-bin-boot -a tag=second $slave $boot/second.elf
want second idmctl receive $slave -t 10
for number in 1 2 3; do
  want "" idmctl send $slave "message $number"
  want "echo: message $number" idmctl receive $slave -t 10
done
want "" idmctl ring $slave
step "7 the end"
want running idmctl status $slave
step "done"
idmctl end 0
sleep 1000
