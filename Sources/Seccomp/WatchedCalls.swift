// SPDX-License-Identifier: Apache-2.0
// The system calls that a watcher wants to hear of, and where their paths stand.

public import Linux
internal import SystemPackage

/// What a call wants of the file or address that it names.
public enum CallIntent: UInt8, Sendable {
  /// It only looks at a file.
  case look = 1
  /// It looks at a link itself.
  case lookAtLink
  /// It reads a file.
  case read
  /// It enters a directory.
  case enter
  /// It enters a directory that is open already.
  case enterOpen
  /// It changes a file that exists.
  case write
  /// It makes a file, also where a link with its name leads.
  case create
  /// It makes a name, and follows no link with that name.
  case make
  /// It removes a name.
  case remove
  /// It executes a file.
  case execute
  /// It opens a file as its flags say.
  case open
  /// The same, with flags in memory.
  case openAsDescribed
  /// It asks for what its mode says.
  case access
  /// It names an address to connect to, or to send to.
  case connect
  /// It names an address of its own.
  case bind
  /// It sends messages, of which the first may be a question to a name server.
  case ask
  /// It needs a capability.
  case capability
  /// It gives a file a name, also one that another file has.
  case replace
}

/// A call to watch: what it wants, and which of its arguments say of what.
public struct WatchedCall: Sendable {
  /// Its name.
  public let name: StaticString
  /// What it wants.
  public let intent: CallIntent
  /// The argument with the directory in which a relative path begins; -1 for the working directory.
  public let directory: Int8
  /// The argument with the path or address.
  public let path: Int8
  /// The argument with flags, a mode or a length; -1 for none.
  public let flags: Int8
  /// The capability that it needs.
  public let capability: StaticString

  private init(
    _ name: StaticString, _ intent: CallIntent, _ path: Int8, directory: Int8 = -1,
    flags: Int8 = -1, capability: StaticString = ""
  ) {
    (self.name, self.intent, self.path) = (name, intent, path)
    (self.directory, self.flags, self.capability) = (directory, flags, capability)
  }

  /// A call that needs a capability.
  private init(_ name: StaticString, needs capability: StaticString) {
    self.init(name, .capability, 0, capability: capability)
  }

  /// The capability that each call needs that has the name `name`; nil for most names.
  public static func capability(ofCall name: String) -> StaticString? {
    all.first { $0.intent == .capability && $0.flags < 0 && $0.name.description == name }?
      .capability
  }

  /// Whether a call acts on the whole machine, so that the kernel asks for rights outside of all sandboxes.
  public static func actsOnMachine(_ name: String) -> Bool { onMachine.contains(name) }

  private static let onMachine: Set<String> = [
    "acct", "clock_settime", "delete_module", "finit_module", "init_module", "ioperm", "iopl",
    "kexec_file_load", "kexec_load", "quotactl", "settimeofday", "stime", "swapoff", "swapon",
  ]

  /// The second name of a call that has two.
  public var second: WatchedCall? {
    switch (intent, path) {
    case (.remove, 0) where isRenaming: WatchedCall(name, .replace, 1)
    case (.remove, 1) where isRenaming: WatchedCall(name, .replace, 3, directory: 2)
    default: nil
    }
  }

  /// Whether the same relative path may lead elsewhere afterwards.
  public var movesDirectories: Bool {
    switch intent {
    case .enter, .enterOpen, .capability: true
    default: isRenaming
    }
  }

  private var isRenaming: Bool { flags == WatchedCall.renames }
  private static let renames: Int8 = 6

  /// Every call to watch.
  ///
  /// For each of them nestbox knows how it would end, and an ordinary program does not make so many
  /// others that name a file.
  static let all: [WatchedCall] = [
    WatchedCall("open", .open, 0, flags: 1), WatchedCall("creat", .create, 0),
    WatchedCall("openat", .open, 1, directory: 0, flags: 2),
    WatchedCall("openat2", .openAsDescribed, 1, directory: 0, flags: 2),
    WatchedCall("stat", .look, 0), WatchedCall("stat64", .look, 0),
    WatchedCall("lstat", .lookAtLink, 0), WatchedCall("lstat64", .lookAtLink, 0),
    WatchedCall("newfstatat", .look, 1, directory: 0, flags: 3),
    WatchedCall("fstatat64", .look, 1, directory: 0, flags: 3),
    WatchedCall("statx", .look, 1, directory: 0, flags: 2),
    WatchedCall("statfs", .look, 0), WatchedCall("statfs64", .look, 0),
    WatchedCall("access", .access, 0, flags: 1),
    WatchedCall("faccessat", .access, 1, directory: 0, flags: 2),
    WatchedCall("faccessat2", .access, 1, directory: 0, flags: 2),
    WatchedCall("execve", .execute, 0), WatchedCall("execveat", .execute, 1, directory: 0),
    WatchedCall("readlink", .lookAtLink, 0),
    WatchedCall("readlinkat", .lookAtLink, 1, directory: 0),
    WatchedCall("chdir", .enter, 0), WatchedCall("fchdir", .enterOpen, -1),
    WatchedCall("inotify_add_watch", .read, 1),
    WatchedCall("getxattr", .look, 0), WatchedCall("lgetxattr", .lookAtLink, 0),
    WatchedCall("setxattr", .write, 0), WatchedCall("lsetxattr", .write, 0),
    WatchedCall("unlink", .remove, 0), WatchedCall("unlinkat", .remove, 1, directory: 0),
    WatchedCall("rmdir", .remove, 0), WatchedCall("rename", .remove, 0, flags: renames),
    WatchedCall("renameat", .remove, 1, directory: 0, flags: renames),
    WatchedCall("renameat2", .remove, 1, directory: 0, flags: renames),
    WatchedCall("mkdir", .make, 0), WatchedCall("mkdirat", .make, 1, directory: 0),
    WatchedCall("mknod", .make, 0), WatchedCall("mknodat", .make, 1, directory: 0),
    WatchedCall("symlink", .make, 1), WatchedCall("symlinkat", .make, 2, directory: 1),
    WatchedCall("link", .make, 1), WatchedCall("linkat", .make, 3, directory: 2),
    WatchedCall("chmod", .write, 0), WatchedCall("fchmodat", .write, 1, directory: 0),
    WatchedCall("fchmodat2", .write, 1, directory: 0),
    WatchedCall("truncate", .write, 0), WatchedCall("truncate64", .write, 0),
    WatchedCall("utime", .write, 0), WatchedCall("utimes", .write, 0),
    WatchedCall("utimensat", .write, 1, directory: 0),
    WatchedCall("chown", .write, 0), WatchedCall("lchown", .write, 0),
    WatchedCall("fchownat", .write, 1, directory: 0),
    WatchedCall("connect", .connect, 1, flags: 2), WatchedCall("sendto", .connect, 4, flags: 5),
    WatchedCall("sendmmsg", .ask, 1), WatchedCall("bind", .bind, 1, flags: 2),
    WatchedCall("socket", .capability, 0, flags: 1, capability: "CAP_NET_RAW"),
    WatchedCall("chroot", needs: "CAP_SYS_CHROOT"),
    WatchedCall("mount", needs: "CAP_SYS_ADMIN"), WatchedCall("umount2", needs: "CAP_SYS_ADMIN"),
    WatchedCall("pivot_root", needs: "CAP_SYS_ADMIN"),
    WatchedCall("sethostname", needs: "CAP_SYS_ADMIN"),
    WatchedCall("settimeofday", needs: "CAP_SYS_TIME"),
    WatchedCall("clock_settime", needs: "CAP_SYS_TIME"),
    WatchedCall("unshare", .capability, 0, flags: 0, capability: "CAP_SYS_ADMIN"),
  ]
}

/// The calls to watch by architecture and number, and the program that hands them to a listener.
public struct WatchList: Sendable {
  /// Architecture and number, ascending.
  private(set) var keys: [UInt64] = []
  /// The index of the call for each of them.
  private(set) var calls: [UInt8] = []
  /// What watches and allows: no policy speaks here.
  let instructions: [UInt64]

  /// SECCOMP_RET_USER_NOTIF.
  static let notify: UInt32 = 0x7fc0_0000

  /// The list for the programs that this machine runs, compiled in: to make it takes as long as
  /// twenty watched calls.
  public init() {
    (keys, calls) = (WatchList.compiledKeys, WatchList.compiledCalls)
    instructions = WatchList.compiledInstructions
  }

  /// Makes the list for the programs that machines of `native` run.
  init(for native: Architecture) {
    var steps = Steps()
    let allow = steps.number(of: .answer(SeccompAction.allow.code))
    var dispatch = Dispatch(foreign: allow)
    var found: [(key: UInt64, call: UInt8)] = []
    for name in native.accompanies {
      guard let architecture = Architecture(named: name) else { continue }
      var numbers: [UInt32: Int] = [:]
      for (index, call) in WatchedCall.all.enumerated() {
        guard let number = architecture.number(of: call.name) else { continue }
        numbers[number] = steps.watching(call, allow)
        found.append((UInt64(architecture.token) << 32 | UInt64(number), UInt8(index)))
      }
      // Its operations never reach a filter; every program that uses it can do without.
      if let number = architecture.number(of: "io_uring_setup") {
        numbers[number] = steps.number(
          of: .answer(SeccompAction.errno(Errno(rawValue: 38)).code))
      }
      dispatch.add(architecture, numbers, otherwise: allow)
    }
    found.sort { $0.key < $1.key }
    for (key, call) in found {
      keys.append(key)
      calls.append(call)
    }
    var writer = ProgramWriter(steps)
    instructions = writer.write(dispatch)
  }

  /// The call that `data` makes, if it is watched.
  public func call(_ data: CallData) -> WatchedCall? {
    let key = UInt64(data.architecture) << 32 | UInt64(data.number)
    var (low, high) = (0, keys.count)
    while low < high {
      let middle = (low + high) / 2
      if keys[middle] < key { low = middle + 1 } else { high = middle }
    }
    return low < keys.count && keys[low] == key ? WatchedCall.all[Int(calls[low])] : nil
  }

  /// One of the calls, for tests of readers.
  package func call(at index: Int) -> WatchedCall? {
    WatchedCall.all[index % WatchedCall.all.count]
  }

  /// One program for `policy` and the watch.
  ///
  /// What the policy refuses with an error goes to the
  /// listener, which gives that answer (`verdict(on:)`); so does what it allows and is on the list.
  /// What ends the process or sends a signal stays as it is.
  ///
  /// A sendmsg(2) with `word` in its sixth register is allowed, whatever the policy says, so that
  /// the process can pass the listener on.
  ///
  /// Of what the policy allows, the listener also receives what `narrower` refuses.
  /// - Returns: The program; nil where a policy has an answer that is not understood, or is too long.
  public func program(
    with policy: SeccompProgram?, over narrower: SeccompProgram? = nil, word: UInt64
  ) -> SeccompProgram? {
    var all = WatchList.passing(word)
    guard WatchList.append(policy, to: &all, isInForce: true),
      WatchList.append(narrower, to: &all, isInForce: false)
    else { return nil }
    all += instructions
    return all.count <= SeccompProgram.maximum ? SeccompProgram(instructions: all) : nil
  }

  /// Appends a policy, which goes on behind itself where it allows a call.
  /// - Returns: Whether its answers are understood.
  private static func append(
    _ policy: SeccompProgram?, to all: inout [UInt64], isInForce: Bool
  ) -> Bool {
    let rest = policy?.instructions ?? []
    let ask = UInt64(InstructionCode.answer) | UInt64(WatchList.notify) << 32
    for (index, instruction) in rest.enumerated() {
      switch UInt16(truncatingIfNeeded: instruction) {
      case InstructionCode.answer: break
      // An answer out of the accumulator: BPF_RET | BPF_A.
      case 0x16: return false
      default:
        all.append(instruction)
        continue
      }
      switch UInt32(truncatingIfNeeded: instruction >> 32) & 0xffff_0000 {
      case SeccompAction.allow.code, SeccompAction.log.code:
        // To the first instruction behind the policy.
        let distance = UInt64(rest.count - index - 1)
        all.append(UInt64(InstructionCode.jump) | distance << 32)
      case 0x0005_0000: all.append(ask)
      case SeccompAction.trap.code, SeccompAction.kill.code, 0:
        all.append(isInForce ? instruction : ask)
      default: return false
      }
    }
    return true
  }

  /// What allows the one call that is marked with `word`.
  private static func passing(_ word: UInt64) -> [UInt64] {
    let tests: [(offset: UInt32, value: UInt32)] = [
      (InstructionCode.architecture, Architecture.native.token),
      (InstructionCode.number, CurrentProcess.sendNumber),
      (56, UInt32(truncatingIfNeeded: word)), (60, UInt32(truncatingIfNeeded: word >> 32)),
    ]
    var program: [UInt64] = []
    for (index, test) in tests.enumerated() {
      // Behind the last test stands the answer.
      let distance = UInt64(2 * (tests.count - index - 1) + 1)
      program.append(UInt64(InstructionCode.load) | UInt64(test.offset) << 32)
      program.append(
        UInt64(InstructionCode.jumpIfEqual) | distance << 24 | UInt64(test.value) << 32)
    }
    program.append(UInt64(InstructionCode.answer) | UInt64(SeccompAction.allow.code) << 32)
    return program
  }
}

extension Steps {
  /// The first step for a watched call, which skips forms that name nothing.
  fileprivate mutating func watching(_ call: WatchedCall, _ allow: Int) -> Int {
    let notify = number(of: .answer(WatchList.notify))
    let offset = { (argument: Int8) in 16 + 8 * UInt32(argument) }
    switch call.intent {
    case .look where call.flags >= 0:
      // AT_EMPTY_PATH: a file that is open already. AT_SYMLINK_NOFOLLOW below an open directory: its
      // name comes from the directory's list, as programs that walk trees look at each name so.
      let isCurrent = number(
        of: .test(InstructionCode.jumpIfEqual, UInt32(bitPattern: -100), yes: notify, no: allow))
      let directory = number(of: .load(offset(call.directory), mask: .max, isCurrent))
      let link = number(of: .test(InstructionCode.jumpIfBits, 0x100, yes: directory, no: notify))
      let empty = number(of: .test(InstructionCode.jumpIfBits, 0x1000, yes: allow, no: link))
      return number(of: .load(offset(call.flags), mask: .max, empty))
    case .connect where call.path == 4:
      // Without an address, only what the C library sends when it asks a name server for one kind of
      // address: MSG_NOSIGNAL, and a short message.
      let length = number(
        of: .test(InstructionCode.jumpIfGreater, 512, yes: allow, no: notify))
      let loadLength = number(of: .load(offset(2), mask: .max, length))
      let quiet = number(of: .test(InstructionCode.jumpIfEqual, 0x4000, yes: loadLength, no: allow))
      let sent = number(of: .load(offset(3), mask: .max, quiet))
      let low = number(of: .test(InstructionCode.jumpIfEqual, 0, yes: sent, no: notify))
      let loadLow = number(of: .load(offset(call.path), mask: .max, low))
      let high = number(of: .test(InstructionCode.jumpIfEqual, 0, yes: loadLow, no: notify))
      return number(of: .load(offset(call.path) + 4, mask: .max, high))
    case .capability where call.flags == 0:
      // New namespaces.
      let isNew = number(
        of: .test(InstructionCode.jumpIfBits, CallData.newNamespaces, yes: notify, no: allow))
      return number(of: .load(offset(call.flags), mask: .max, isNew))
    case .capability where call.flags > 0:
      // Raw sockets (SOCK_RAW) of the internet (AF_INET, AF_INET6), and those for packets
      // (AF_PACKET).
      let isRaw = number(of: .test(InstructionCode.jumpIfEqual, 3, yes: notify, no: allow))
      let raw = number(of: .load(offset(1), mask: 0xf, isRaw))
      let internet6 = number(of: .test(InstructionCode.jumpIfEqual, 10, yes: raw, no: allow))
      let internet = number(of: .test(InstructionCode.jumpIfEqual, 2, yes: raw, no: internet6))
      let packet = number(of: .test(InstructionCode.jumpIfEqual, 17, yes: notify, no: internet))
      return number(of: .load(offset(0), mask: .max, packet))
    default: return notify
    }
  }
}
