#!/opt/busybox/sh
# SPDX-License-Identifier: Apache-2.0
# Process 1 until systemd is: everything moves to a tmpfs, as an initramfs cannot be pivoted from.
export PATH=/opt/busybox
mkdir /new
mount -t tmpfs -o mode=755 tmpfs /new
for entry in /*; do [ $entry = /new ] || cp -a $entry /new; done
exec switch_root /new /usr/lib/systemd/systemd --unit=checks.target --log-target=null --show-status=no
