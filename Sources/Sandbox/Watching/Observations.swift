// SPDX-License-Identifier: Apache-2.0
// Watching/ says what the sandbox kept from a command (--explain). A helper, the watcher, receives
// each call that names a file or an address before the kernel carries it out (Watcher.swift), notes
// what the call names (CallReader.swift), and looks at the end which of these files are missing,
// read-only or closed inside (Findings.swift). Reports are made in Explanation.swift.
//
// This file: the notes. A payload decides what and how much they are, so they have bounds.

internal import Linux
internal import Text

/// What was asked for.
package enum ObservedKind: UInt8 {
  case look, lookAtLink, read, write, create, remove, execute
  /// A new name, as of a directory or a link: unlike open(2), the call follows no link that has the name.
  case make
  /// A name for a file that has another one, as of a renamed file: it may be that of a third file.
  case replace
  /// A socket in the file system.
  case socket
  /// An abstract socket.
  case abstractSocket
  /// An address in the network, with a port, and `/udp` behind it for datagrams.
  case address
  /// The address of a name server, with its port.
  case nameServer
  /// A host, by its name.
  case host
  /// A name on a bus that was refused, after the access to it: "talk org.example.Name".
  case busName
  /// A name on a bus that was called; empty for a connection, which has a number.
  case calledBusName
  /// Something that could not be read.
  case unreadable
  /// A port below 1024, at which the command wants to listen and needs a capability.
  case port
  case capability
  /// A call that the policy refused; the subject is its architecture, its number and, if its first argument
  /// asks for namespaces for which it needs a capability, the word 1.
  case refusal
  /// The same of a call that only --seccomp-allow permits.
  case addition
  /// A new user namespace.
  case userNamespace

  fileprivate static let count = Int(ObservedKind.userNamespace.rawValue) + 1

  /// Whether the subject is a path.
  var isPath: Bool { rawValue <= ObservedKind.socket.rawValue }

  /// Whether something is to be changed or made.
  var changes: Bool { self == .write || changesDirectory }

  /// Whether a name is to be made or removed.
  var changesDirectory: Bool { makesName || self == .remove }

  /// Whether a file is to get a name.
  var makesName: Bool { self == .create || self == .make || self == .replace }

  /// The access to the file that it needs; nil where a look at it is enough.
  var access: FileAccess? {
    switch self {
    case .read: .read
    case .execute: .execute
    case .write, .create, .make, .remove, .replace, .socket: .write
    default: nil
    }
  }
}

/// One thing that was asked for.
struct Observation {
  let kind: ObservedKind
  /// A path from the sandbox's root, an address, a name.
  let subject: ByteString
  /// The first program that asked for it.
  let program: ByteString
  /// How often.
  var count = 1
  /// When it was last, among all.
  var last: Int
  /// The error of a refused call.
  var error: CInt = 0
  /// Which process asked for an address.
  var process: Int32 = 0
  /// Whether something was sent to an address, beyond what sockets send that were connected to it.
  var isSent = false
}

/// The notes of a run, each once.
struct Observations {
  private(set) var all: [Observation] = []
  /// The place of each subject, for each kind.
  private var places = Array(repeating: [ByteString: Int](), count: ObservedKind.count)
  /// How many calls were watched.
  private(set) var calls = 0
  /// Whether there was no room for more.
  private(set) var isFull = false
  private var size = 0
  /// Which processes have connected to which ports by TCP.
  private var streams: [ByteString: Int] = [:]

  /// How many notes are kept, and how many bytes of names.
  private static let most = (notes: 100_000, bytes: 32 << 20)

  /// Whether a process has connected a socket for datagrams to an address only to learn whether there is a way.
  ///
  /// The C library does so with each address of a host, and sends nothing, to learn which one to try first.
  /// Then its process connects to one of them by TCP, at the same port.
  func isTriedByTCP(_ seen: Observation) -> Bool {
    seen.kind == .address && !seen.isSent && Observations.isForDatagrams(seen.subject)
      && streams[Observations.stream(to: seen.subject, by: seen.process)] != nil
  }

  private static func isForDatagrams(_ address: ByteString) -> Bool {
    address.bytes.suffix(4).elementsEqual("/udp".utf8)
  }

  /// A process and the port of an address, such as "1234 443".
  private static func stream(to address: ByteString, by process: Int32) -> ByteString {
    let port = address.bytes.split(separator: UInt8(ascii: " ")).last ?? []
    return ByteString(
      Array(String(process).utf8) + [UInt8(ascii: " ")] + port.prefix { $0 != UInt8(ascii: "/") })
  }

  /// Counts a call.
  mutating func count() { calls &+= 1 }

  /// Notes that `program` asked for something.
  mutating func note(
    _ kind: ObservedKind, _ subject: ByteString, by program: ByteString, error: CInt = 0,
    process: Int32 = 0, isSent: Bool = false
  ) {
    if kind == .address, !Observations.isForDatagrams(subject),
      streams.count < Observations.most.notes
    {
      streams[Observations.stream(to: subject, by: process)] = 1
    }
    if let place = places[Int(kind.rawValue)][subject] {
      all[place].count &+= 1
      all[place].last = calls
      if isSent { all[place].isSent = true }
      // The process before only looked for a way; this one may want to send something.
      if isTriedByTCP(all[place]) { all[place].process = process }
      return
    }
    guard all.count < Observations.most.notes, size < Observations.most.bytes else {
      isFull = true
      return
    }
    size += subject.count
    places[Int(kind.rawValue)][subject] = all.count
    all.append(
      Observation(
        kind: kind, subject: subject, program: program, last: calls, error: error,
        process: process, isSent: isSent))
  }
}
