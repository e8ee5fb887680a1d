// SPDX-License-Identifier: Apache-2.0

internal import Linux
internal import Sandbox
internal import Text

extension Option {
  static let overlays: [Option] = [
    Option(
      "--overlay-src", [.source], in: .overlays, "Add the host's SRC to the next overlay",
      """
      The first one is the bottom layer. Only further --overlay-src, --overlay-opt and the overlay
      itself may follow.
      """, traits: .takesOverlayParts
    ) { (draft, typed) throws(UsageError) in draft.overlaySources.append(typed.path(0)) },
    Option(
      "--overlay-opt", [.mountOption], in: .overlays,
      "Pass an option of overlayfs to the next overlay",
      """
      For instance xino=off or metacopy=on. Separate several with commas, or repeat the option. The
      kernel checks them.
      """, traits: .takesOverlayParts
    ) { (draft, typed) throws(UsageError) in
      draft.overlayOptions += typed.text(0).bytes.split(separator: UInt8(ascii: ","))
        .map { ByteString($0) }
    },
    Option(
      "--overlay", [.upper, .work, .destination], in: .overlays,
      "Mount an overlay on DEST that writes to the host's RWSRC",
      """
      RWSRC keeps the changes, and the next sandbox that uses it sees them; the sources never change.
      WORKDIR must be an empty directory on the file system of RWSRC. Neither may overlap another
      layer. Needs at least one --overlay-src before it.

          mkdir -p changes work
          nestbox --ro-bind / / --overlay-src /etc --overlay changes work /etc touch /etc/new
      """, traits: .takesOverlayParts
    ) { (draft, typed) throws(UsageError) in
      try draft.addOverlay(
        typed, .kept(upper: typed.path(0), work: typed.path(1)), at: 2, sources: 1)
    },
    Option(
      "--tmp-overlay", [.destination], in: .overlays,
      "Mount an overlay on DEST and discard its changes",
      """
      Changes are kept in memory and are gone when the sandbox ends. Needs at least one --overlay-src
      before it.

          nestbox --ro-bind / / --overlay-src /etc --tmp-overlay /etc touch /etc/new
      """, traits: .takesOverlayParts
    ) { (draft, typed) throws(UsageError) in
      try draft.addOverlay(typed, .discarded, at: 0, sources: 1)
    },
    Option(
      "--ro-overlay", [.destination], in: .overlays, "Mount a read-only overlay on DEST",
      """
      Needs at least two --overlay-src before it.

          nestbox --ro-bind / / --overlay-src /etc --overlay-src /usr/share --ro-overlay /mnt ls /mnt
      """, traits: .takesOverlayParts
    ) { (draft, typed) throws(UsageError) in
      try draft.addOverlay(typed, .refused, at: 0, sources: 2)
    },
  ]
}

extension Draft {
  fileprivate mutating func addOverlay(
    _ typed: Occurrence, _ writes: Overlay.Writes, at index: Int, sources: Int
  ) throws(UsageError) {
    guard overlaySources.count >= sources else {
      throw UsageError(
        predicate: "requires at least \(sources == 1 ? "one" : "two") --overlay-src")
    }
    let overlay = Overlay(sources: overlaySources, writes: writes, options: overlayOptions)
    overlaySources = []
    overlayOptions = []
    add(typed, .overlay(overlay, destination: typed.path(index)))
  }
}
