# SPDX-License-Identifier: Apache-2.0
# Draws and computes on the graphics card: like untrusted, with its device files.
# Drivers are large, and all of this is reached through ioctl(2): more of the kernel can be attacked.
--profile untrusted

# Mesa's drivers, compute on AMD's cards, and the cards of a virtual Windows machine.
--dev-bind-try /dev/dri /dev/dri
--dev-bind-try /dev/kfd /dev/kfd
--dev-bind-try /dev/dxg /dev/dxg
# NVIDIA's own driver has a file for each card, and ARM's for each kind.
--dev-bind-glob /dev/nvidia*
--dev-bind-glob /dev/mali*

# Which card a device file belongs to, and what kind of card that is: of /sys/devices the card's own
# directory, and nothing where there is no card. 226 is the number of such device files.
--read-glob /sys/class/drm/renderD*/device
--read-glob /sys/class/drm/card[0-9]
--read-glob /sys/dev/char/226:*
--read-glob /sys/class/kfd/kfd
--read-glob /sys/bus/pci/drivers/nvidia/*:*
--ro-same-try /sys/module/nvidia

# Which driver to load.
--ro-same-try /etc/glvnd
--ro-same-try /etc/drirc
--ro-same-try /etc/vulkan
--ro-same-try /etc/OpenCL
--ro-same-try /etc/nvidia
--ro-same-try /run/opengl-driver
--keep-env LIBGL_*,MESA_*,DRI_PRIME,VK_*,__GLX_*,__EGL_*,__NV_*
