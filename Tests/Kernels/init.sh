#!/bin/busybox sh
# SPDX-License-Identifier: Apache-2.0
# Process 1 of the virtual machine. An initramfs cannot be pivoted from, so everything moves to a
# tmpfs first.
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
for module in /modules/*.ko; do [ -e "$module" ] && insmod "$module"; done
mkdir /new
mount -t tmpfs tmpfs /new
cp -a /bin /*.sh /etc /new
mkdir /new/usr /new/proc /new/sys /new/dev /new/tmp /new/run /new/home /new/mnt
umount /proc
exec switch_root /new /bin/sh -c '
  mount -t proc proc /proc
  mount -t sysfs sysfs /sys
  mount -t devtmpfs devtmpfs /dev
  echo "user:x:1000:1000::/home:/bin/sh" >/etc/passwd
  echo "user:x:1000:" >/etc/group
  chown 1000:1000 /home /tmp
  ip link set lo up
  # Debian before 11 and some kernels keep user namespaces from ordinary users.
  echo 1 >/proc/sys/kernel/unprivileged_userns_clone 2>/dev/null
  # Where only CAP_SYS_PTRACE lets a process read another: nestbox has it over its sandbox.
  echo 2 >/proc/sys/kernel/yama/ptrace_scope 2>/dev/null
  cd /home
  su user -c "sh /checks.sh" </dev/null >/dev/console 2>&1
  sh /groups-root.sh </dev/null >/dev/console 2>&1
  echo 3 >/proc/sys/kernel/yama/ptrace_scope 2>/dev/null
  su user -c "sh /checks.sh closed" </dev/null >/dev/console 2>&1
  sync; reboot -f'
