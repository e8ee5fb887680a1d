// SPDX-License-Identifier: Apache-2.0
// What can be said of a command that was executed and ended badly for the sandbox's sake.

public import Linux
internal import SystemPackage
internal import Text

extension Sandbox {
  /// One line about the end of the command, where the sandbox is to blame for it.
  public func explanation(of termination: Termination, for caller: Caller) -> String? {
    switch termination {
    case .signaled(Sandbox.badSystemCall) where !filters.isEmpty || policy != nil:
      return
        "the seccomp filter ended the command (SIGSYS): the kernel's log names the system call "
        + "(journalctl -k --grep SECCOMP)"
        + (policy == nil ? "" : ", and --seccomp-explain says what the policy does with each")
    case .exited(127): return LibrarySearch(plan(for: caller)).explanation
    default: return nil
    }
  }

  private static let badSystemCall: CInt = 31
}

/// The search for a command's libraries, inside and on the host, as ld.so(8) makes it.
private struct LibrarySearch {
  private let plan: Plan

  init(_ plan: Plan) { self.plan = plan }

  /// The first library that the command needs and that is not to be found inside.
  var explanation: String? {
    guard let command = plan.command.host.flatMap({ program(at: $0, inside: plan.command.file) })
    else { return nil }
    var pending = [command]
    var seen: Set<String> = []
    while let file = pending.popLast() {
      for name in file.elf.needed where seen.insert(name).inserted {
        let places = directories(for: file.elf, file.inside).map { $0.appending(name) }
        if let found = places.lazy.compactMap({ inside($0) }).first ?? cached(name, isInside: true)
        {
          if let elf = ELFFile(at: found.host) { pending.append((elf, found.inside)) }
          continue
        }
        return missing(name, of: file, places)
      }
    }
    return nil
  }

  private typealias Program = (elf: ELFFile, inside: FilePath)

  /// The program that is loaded for a file: itself, or its interpreter.
  private func program(at host: FilePath, inside path: FilePath?) -> Program? {
    guard let path else { return nil }
    if let elf = ELFFile(at: host) { return elf.loader == nil ? nil : (elf, path) }
    guard let start = try? TextFile.beginning(of: host, 256), start.starts(with: "#!".utf8),
      let word = start.dropFirst(2).prefix(while: { $0 != 10 }).split(separator: 32).first,
      let interpreter = inside(ByteString(word).path), let elf = ELFFile(at: interpreter.host),
      elf.loader != nil
    else { return nil }
    return (elf, interpreter.inside)
  }

  /// A file inside, and where it lies on the host.
  private func inside(_ path: FilePath) -> (inside: FilePath, host: FilePath)? {
    guard let trail = plan.root.find(path), plan.root.node(at: trail.end) == .file,
      let host = plan.root.hostPath(of: trail.end)
    else { return nil }
    return (trail.path, host)
  }

  /// The directories in which the loader looks.
  private func directories(for elf: ELFFile, _ path: FilePath) -> [FilePath] {
    let origin = ByteString(path.removingLastComponent()).text
    var texts = elf.searchPath.map { text in
      ["${ORIGIN}", "$ORIGIN"].reduce(text) { text, word in
        text.replacingAll(word, by: origin)
      }
    }
    if let path = plan.environment.value(of: "LD_LIBRARY_PATH") {
      texts += path.text.split(separator: ":").map(String.init)
    }
    let triplets: [UInt16: String] = [
      3: "i386-linux-gnu", 62: "x86_64-linux-gnu", 183: "aarch64-linux-gnu",
    ]
    for name in [triplets[elf.machine], "64", ""].compactMap({ $0 }) {
      let end = name.count > 2 ? "/" + name : name
      texts += ["/lib" + end, "/usr/lib" + end]
    }
    return texts.map { FilePath($0) }
  }

  /// A library that the loader's cache knows, inside or on the host.
  private func cached(_ name: String, isInside: Bool) -> (inside: FilePath, host: FilePath)? {
    let cache: FilePath = "/etc/ld.so.cache"
    guard let file = isInside ? inside(cache)?.host : cache,
      let bytes = try? TextFile.beginning(of: file, 1 << 20)
    else { return nil }
    let end = Array(("/" + name).utf8)
    for text in bytes.split(separator: 0) where text.first == UInt8(ascii: "/") {
      guard text.count > end.count, text.suffix(end.count).elementsEqual(end) else { continue }
      let path = ByteString(text).path
      if !isInside { return (path, path) }
      if let found = inside(path) { return found }
    }
    return nil
  }

  private func missing(_ name: String, of file: Program, _ places: [FilePath]) -> String {
    let what =
      "the library \(ByteString(name).quoted), which \(ByteString(file.inside).quoted) needs, is not "
      + "visible inside"
    let host =
      places.first { (try? FileFacts(at: $0, followsLinks: true))?.kind == .regular }
      ?? cached(name, isInside: false)?.host
    guard let host else { return what + ", and not on the host either: install it" }
    let words = ByteString(host).quotedForShell
    return what + ": --ro-bind \(words) \(words) shows the host's"
  }
}
