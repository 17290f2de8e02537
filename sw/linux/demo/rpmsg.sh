# SPDX-License-Identifier: Apache-2.0
# What the master does in ./tandem demo --rpmsg. The host reads the lines that begin with DEMO, and
# counts the messages that the programs report.

. /lib/tandem/steps.sh

remote() {
  echo /sys/class/remoteproc/remoteproc$1
}

start() {
  echo "\$ echo $2 > firmware; echo start > state   # of remoteproc$1"
  echo "$2" >"$(remote $1)/firmware" || fail "slave $1 takes no firmware"
  echo start >"$(remote $1)/state" || fail "slave $1 does not start"
  want running cat "$(remote $1)/state"
}

stop() {
  echo "\$ echo stop > state   # of remoteproc$1"
  echo stop >"$(remote $1)/state" || fail "slave $1 does not stop"
  want offline cat "$(remote $1)/state"
}

# service SLAVE NAME: the directory of an announced channel, once it is there.
service() {
  for attempt in 1 2 3 4 5 6 7 8 9 10; do
    for channel in "$(remote $1)"/rproc-virtio*/virtio*/virtio*."$2".-1.*; do
      [ ! -d "$channel" ] || {
        echo "$channel"
        return
      }
    done
    sleep 0.1
  done
  return 1
}

# device SLAVE NAME: the character device that the kernel's driver has made for a channel.
device() {
  channel=$(service $1 "$2") || return
  for attempt in 1 2 3 4 5 6 7 8 9 10; do
    for node in "$channel"/rpmsg/rpmsg* "$channel"/tty/tty*; do
      [ ! -c "/dev/${node##*/}" ] || {
        echo "/dev/${node##*/}"
        return
      }
    done
    sleep 0.1
  done
  return 1
}

# endpoint SLAVE NAME: options for clients of a channel that no driver of the kernel takes.
endpoint() {
  channel=$(service $1 "$2") || return
  for control in "${channel%/*}"/virtio*.rpmsg_ctrl.*/rpmsg/rpmsg_ctrl*; do
    echo "-e $2,$(($(cat "$channel/dst"))) /dev/${control##*/}"
  done
}

ping() {
  node=$(device $1 rpmsg-raw) || fail "slave $1 announces no rpmsg-raw"
  shift
  want "none lost" rpmsg-ping "$@" $node
}

# A line to the firmware's console and its answer.
say_hello() {
  node=$(device $1 rpmsg-tty) || fail "slave $1 announces no rpmsg-tty"
  for attempt in 1 2 3 4 5 6 7 8 9 10; do # the node is there before Linux lets it be opened
    ! stty -F $node raw -echo || break
    sleep 0.1
  done
  exec 3<>$node
  echo "\$ echo hello > $node"
  echo hello >&3
  read -r -t 10 line <&3 || fail "$node is silent"
  exec 3>&-
  echo "$node says: $line"
}

hash() {
  options=$(endpoint $1 tandem-sha256) || fail "slave $1 announces no tandem-sha256"
  digest=$(sha256sum $2)
  want "$digest" rpmsg-sha256 $options $2
}

multiply() {
  options=$(endpoint $1 tandem-matmul) || fail "slave $1 announces no tandem-matmul"
  want "is right" rpmsg-matmul -n 3 $options
}

step "1 the modules"
want "" load-remoteproc
for slave in 0 1; do
  want offline cat "$(remote $slave)/state"
done
step "2 the slaves start"
start 0 services.elf
start 1 echo.elf
step "3 what they announce"
for slave in 0 1; do
  service $slave rpmsg-raw || fail "slave $slave announces nothing"
done
for name in rpmsg-tty tandem-sha256 tandem-matmul; do
  service 0 $name || fail "slave 0 announces no $name"
done
step "4 messages to each and back"
ping 0 -n 100
ping 1 -n 100
ping 1 -n 200 -w 16
step "5 a line on the slave's console"
say_hello 0
step "6 SHA-256 by a slave"
hash 0 /lib/tandem/tandem_idm.ko
step "7 a matrix product by a slave"
multiply 0
step "8 stop, and start again with the other firmware"
stop 0
stop 1
start 0 echo.elf
start 1 services.elf
ping 0 -n 50 -w 4
ping 1 -n 50
hash 1 /init
step "9 the end"
stop 1
stop 0
step "done"
idmctl end 0
sleep 1000
