#!/bin/busybox sh
# The first program of the guest: what `cargo xtask usb` boots. It makes a system of it, runs the scenarios that the
# kernel's command line names behind `--`, all where it names none, and switches the machine off.
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mount -t tmpfs tmp /tmp
# The console belongs to the scenarios.
echo 1 > /proc/sys/kernel/printk
for module in /modules/*.ko; do
    insmod "$module" || echo "loket-usb trouble: $module does not load"
done
mount -t configfs config /sys/kernel/config
ifconfig lo 127.0.0.1 up
/bin/loket-usb-guest "$@"
echo "loket-usb end $?"
poweroff -f
