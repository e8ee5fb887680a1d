// SPDX-License-Identifier: Apache-2.0
// Where the sockets of a desktop session are, worked out from its variables.

internal import Linux
internal import Sandbox
internal import Text

/// The sockets of the session that the caller's environment describes.
struct SessionSockets {
  let surroundings: Surroundings

  /// The X server's, if DISPLAY names one on this machine, as in `:1.0`.
  var x11: ByteString? { surroundings.variable("DISPLAY").flatMap { XDisplay($0)?.socket } }

  /// The Wayland compositor's: WAYLAND_DISPLAY is a path, or a name in XDG_RUNTIME_DIR.
  var wayland: ByteString {
    let name = surroundings.variable("WAYLAND_DISPLAY").flatMap { $0.isEmpty ? nil : $0 }
    return inRuntimeDirectory(name ?? "wayland-0")
  }

  /// PipeWire's: PIPEWIRE_REMOTE is a path, or a name in XDG_RUNTIME_DIR.
  var pipeWire: ByteString {
    let name = surroundings.variable("PIPEWIRE_REMOTE").flatMap { $0.isEmpty ? nil : $0 }
    return inRuntimeDirectory(name ?? "pipewire-0")
  }

  /// The one that speaks PulseAudio's protocol: PULSE_SERVER is a path, `unix:` and a path, or the
  /// name of another machine.
  var pulseAudio: ByteString? {
    guard let server = surroundings.variable("PULSE_SERVER"), !server.isEmpty else {
      return inRuntimeDirectory("pulse/native")
    }
    let isMarked = server.bytes.starts(with: "unix:".utf8)
    let path = isMarked ? server.bytes.dropFirst(5) : server.bytes
    return path.first == UInt8(ascii: "/") ? ByteString(path) : nil
  }

  private func inRuntimeDirectory(_ name: ByteString) -> ByteString {
    if name.bytes.first == UInt8(ascii: "/") { return name }
    return surroundings.runtimeDirectory.appending("/").appending(name)
  }
}
