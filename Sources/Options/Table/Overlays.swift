// SPDX-License-Identifier: Apache-2.0

internal import Linux
internal import Sandbox
internal import Text

extension Option {
  static let overlays: [Option] = [
    Option(
      "--overlay-src", [.source], in: .overlays, "Add the host's SRC to the next overlay",
      """
      The first one given is the bottom layer. After these, and --overlay-opt, nothing but the
      overlay itself may follow.
      """, traits: .takesOverlayParts
    ) { (draft, typed) throws(UsageError) in draft.overlaySources.append(typed.path(0)) },
    Option(
      "--overlay-opt", [.mountOption], in: .overlays, "Pass an option of overlayfs to the next",
      """
      For instance xino=off or metacopy=on; several are separated by commas, or the option is
      repeated. The kernel checks them.
      """, traits: .takesOverlayParts
    ) { (draft, typed) throws(UsageError) in
      draft.overlayOptions += typed.text(0).bytes.split(separator: UInt8(ascii: ","))
        .map { ByteString($0) }
    },
    Option(
      "--overlay", [.upper, .work, .destination], in: .overlays,
      "Mount an overlay on DEST that writes to the host's RWSRC",
      """
      Changes are kept in RWSRC and seen again by the next sandbox that uses it; the sources are
      never written to. WORKDIR must be an empty directory of the file system of RWSRC. Neither
      may overlap another layer, and one --overlay-src at least has to come before.

          mkdir -p changes work
          nestbox --ro-bind / / --overlay-src /etc --overlay changes work /etc touch /etc/new
      """, traits: .takesOverlayParts
    ) { (draft, typed) throws(UsageError) in
      try draft.addOverlay(
        typed, .kept(upper: typed.path(0), work: typed.path(1)), at: 2, sources: 1)
    },
    Option(
      "--tmp-overlay", [.destination], in: .overlays,
      "Mount an overlay on DEST whose changes are discarded",
      """
      They are kept in memory and end with the sandbox. One --overlay-src at least has to come
      before.

          nestbox --ro-bind / / --overlay-src /etc --tmp-overlay /etc touch /etc/new
      """, traits: .takesOverlayParts
    ) { (draft, typed) throws(UsageError) in
      try draft.addOverlay(typed, .discarded, at: 0, sources: 1)
    },
    Option(
      "--ro-overlay", [.destination], in: .overlays, "Mount a read-only overlay on DEST",
      """
      Two --overlay-src at least have to come before.

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
        sources == 1
          ? "needs --overlay-src before it" : "needs at least two --overlay-src before it")
    }
    let overlay = Overlay(sources: overlaySources, writes: writes, options: overlayOptions)
    overlaySources = []
    overlayOptions = []
    add(typed, .overlay(overlay, destination: typed.path(index)))
  }
}
