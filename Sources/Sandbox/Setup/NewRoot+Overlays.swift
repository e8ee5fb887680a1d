// SPDX-License-Identifier: Apache-2.0
// Overlays: several trees of the host shown as one. See the kernel's overlayfs documentation.

internal import Linux
internal import SystemPackage
internal import Text

extension NewRoot {
  mutating func makeOverlay(
    _ overlay: Overlay, for path: FilePath
  ) throws(LaunchError) -> MountTree {
    var layers = OverlayLayers()
    let option = overlay.identities.isEmpty ? Overlay.sourceOption : nil
    for source in overlay.sources.reversed() {
      layers.lower.append(try layers.open(source, in: self, option))
    }
    switch overlay.writes {
    case .refused: break
    case .reviewed:
      // A launch replaces it before.
      throw LaunchError(
        .mountOverlay, subject: ByteString(path),
        cause: SystemCallError(call: "fsconfig", errno: .invalidArgument))
    case .discarded: try makeTemporaryLayers(&layers, path)
    case .kept(let upper, let work):
      layers.upper = try layers.open(upper, in: self)
      layers.work = try layers.open(work, in: self)
    }
    try layers.require(overlay.identities, of: overlay)
    let attributes: MountAttributes = overlay.writes == .refused ? [.readOnly] : []
    return try step(.mountOverlay, ByteString(path)) { root throws(SystemCallError) in
      try root.make("overlay", attributes.union([.noSetUserID, .noDevices])) {
        context throws(SystemCallError) in
        try layers.name(to: context)
        // Otherwise the end of the sandbox would write all of the store's file system to its disk.
        // The launcher does so where there are changes to keep.
        if !overlay.identities.isEmpty { try context.set("volatile") }
        for option in overlay.options { try context.set(option: option) }
      }
    }
  }

  /// Creates an upper and a work directory where nobody else can reach them and where they vanish
  /// with the sandbox.
  private mutating func makeTemporaryLayers(
    _ layers: inout OverlayLayers, _ path: FilePath
  ) throws(LaunchError) {
    overlays += 1
    let number = String(overlays)
    try step(.mountOverlay, ByteString(path)) { root throws(SystemCallError) in
      layers.upper = try layers.hold(root.makeLayer(FilePath("upper" + number)))
      layers.work = try layers.hold(root.makeLayer(FilePath("work" + number)))
    }
  }

  private mutating func makeLayer(_ name: FilePath) throws(SystemCallError) -> OwnedDescriptor {
    try inScratch { directory throws(SystemCallError) in
      try directory.makeDirectory(name, .standardDirectory)
      return try directory.openEntry(name)
    }
  }
}

/// The layers of an overlay as open directories.
///
/// overlayfs takes paths and gives `:`, `,` and `\` in them a special meaning, which varies between
/// kernels. The links in /proc contain none of these, lead to exactly the opened directory, and do
/// not reveal inside where it lies on the host.
struct OverlayLayers: ~Copyable {
  var lower: [CInt] = []
  var upper: CInt?
  var work: CInt?
  private var held: [CInt] = []

  deinit {
    for number in held { Descriptors.close(number) }
  }

  /// Opens a directory of the host; `option` is the one that named it, if not the overlay's.
  mutating func open(
    _ path: FilePath, in root: borrowing NewRoot, _ option: String? = nil
  ) throws(LaunchError) -> CInt {
    do throws(SystemCallError) {
      return hold(try root.layer(path))
    } catch {
      throw LaunchError(
        .findSource, option: option.map { WrittenOption($0) }, subject: ByteString(path),
        cause: error)
    }
  }

  /// Fails if a layer is another directory than the launcher has seen, as a link on the way could
  /// have led elsewhere since.
  borrowing func require(
    _ identities: [FileIdentity], of overlay: Overlay
  ) throws(LaunchError) {
    for (number, identity) in zip(held, identities) {
      let found = try? Descriptors.fileIdentity(of: number)
      if found == identity { continue }
      throw LaunchError(
        .findSource, subject: overlay.sources.first.map { ByteString($0) },
        cause: SystemCallError(call: "fstat", errno: .staleNFSFileHandle))
    }
  }

  /// Keeps a directory open until the overlay exists.
  mutating func hold(_ directory: consuming OwnedDescriptor) -> CInt {
    let number = directory.release()
    held.append(number)
    return number
  }

  /// Names the layers to the file system.
  borrowing func name(to context: borrowing FilesystemContext) throws(SystemCallError) {
    // By hand: `joined` has the runtime look for types by name, which costs as much as the mount.
    var names = ""
    for number in lower {
      if !names.isEmpty { names += ":" }
      names += OverlayLayers.path(number)
    }
    try context.set("lowerdir", to: ByteString(names))
    if let upper, let work {
      try context.set("upperdir", to: ByteString(OverlayLayers.path(upper)))
      try context.set("workdir", to: ByteString(OverlayLayers.path(work)))
    }
    // User namespaces cannot access the extended attributes trusted.*.
    try context.set("userxattr")
  }

  private static func path(_ number: CInt) -> String { "/proc/self/fd/" + String(number) }
}
