# SPDX-License-Identifier: Apache-2.0
# Looks as programs outside do: like untrusted, with fonts, icons, pointers and colours, read-only.
--profile untrusted

# Fonts beside those in /usr, which of them is meant, and what was found in them before.
--ro-same-try /etc/fonts
--ro-same-try /var/cache/fontconfig
--ro-same-try ${XDG_DATA_HOME:-${HOME}/.local/share}/fonts
--ro-same-try ${HOME}/.fonts
--ro-same-try ${HOME}/.fonts.conf
--ro-same-try ${XDG_CONFIG_HOME:-${HOME}/.config}/fontconfig
--ro-same-try ${XDG_CACHE_HOME:-${HOME}/.cache}/fontconfig

# GTK's settings; its list of bookmarks beside them says where your files are.
--ro-same-try /etc/gtk-3.0
--ro-same-try /etc/gtk-4.0
--ro-same-try ${HOME}/.gtkrc-2.0
--ro-same-try ${XDG_CONFIG_HOME:-${HOME}/.config}/gtk-3.0/settings.ini
--ro-same-try ${XDG_CONFIG_HOME:-${HOME}/.config}/gtk-3.0/gtk.css
--ro-same-try ${XDG_CONFIG_HOME:-${HOME}/.config}/gtk-3.0/colors.css
--ro-same-try ${XDG_CONFIG_HOME:-${HOME}/.config}/gtk-4.0/settings.ini
--ro-same-try ${XDG_CONFIG_HOME:-${HOME}/.config}/gtk-4.0/gtk.css
--ro-same-try ${XDG_CONFIG_HOME:-${HOME}/.config}/gtk-4.0/colors.css

# Qt's and KDE's.
--ro-same-try ${XDG_CONFIG_HOME:-${HOME}/.config}/kdeglobals
--ro-same-try ${XDG_CONFIG_HOME:-${HOME}/.config}/qt5ct
--ro-same-try ${XDG_CONFIG_HOME:-${HOME}/.config}/qt6ct
--ro-same-try ${XDG_CONFIG_HOME:-${HOME}/.config}/Kvantum
--ro-same-try ${XDG_DATA_HOME:-${HOME}/.local/share}/color-schemes

# Icons, pointers and themes.
--ro-same-try /etc/X11/cursors
--ro-same-try ${XDG_DATA_HOME:-${HOME}/.local/share}/icons
--ro-same-try ${XDG_DATA_HOME:-${HOME}/.local/share}/themes
--ro-same-try ${HOME}/.icons
--ro-same-try ${HOME}/.themes
--keep-env XCURSOR_THEME,XCURSOR_SIZE,GTK_THEME,GDK_SCALE,GDK_DPI_SCALE
--keep-env QT_QPA_PLATFORMTHEME,QT_STYLE_OVERRIDE,QT_SCALE_FACTOR,QT_AUTO_SCREEN_SCALE_FACTOR
