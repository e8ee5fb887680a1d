// SPDX-License-Identifier: Apache-2.0
// libFuzzer calls this with bytes that it makes up. The variable FUZZ says what they stand for.
// Whatever they are, they must not end the process, and no message may hold bytes that drive a
// terminal.

import Glibc
import Linux
import Options
import Running
import Seccomp
import Text

@testable import Sandbox

/// What the bytes stand for.
enum Target: String {
  /// Words of a command line, each ended by a NUL.
  case options
  /// The data of `--args`.
  case args
  /// A policy of system calls.
  case policy
  /// A profile.
  case profile
  /// The file of a command that failed: a program.
  case elf
  /// The same: the beginning of a script.
  case script
  /// What a process of the sandbox tells the monitor.
  case records
  /// A file of /proc, or a name, of a process in a sandbox.
  case running

  static let chosen = Target(rawValue: getenv("FUZZ").map { String(cString: $0) } ?? "") ?? .options

  /// A file that is written anew for every run.
  static let file: (path: String, descriptor: CInt) = {
    let path = "/dev/shm/nestbox-fuzz-\(getpid())"
    let descriptor = open(path, O_RDWR | O_CREAT | O_TRUNC, 0o600)
    precondition(descriptor >= 0)
    unlink(path)
    return ("/proc/self/fd/\(descriptor)", descriptor)
  }()
}

private func write(_ bytes: UnsafeBufferPointer<UInt8>) {
  let descriptor = Target.file.descriptor
  ftruncate(descriptor, 0)
  pwrite(descriptor, bytes.baseAddress, bytes.count, 0)
  lseek(descriptor, 0, SEEK_SET)
}

private func parse(_ words: [ByteString]) {
  var parser = Parser()
  do throws(UsageError) {
    try parser.parse(words)
  } catch {
    inspect(error.message)
    return
  }
  do throws(UsageError) { try parser.draft.sandbox.validate() } catch { inspect(error.message) }
}

private func inspect(_ message: String) {
  precondition(!message.isEmpty)
  for scalar in message.unicodeScalars where scalar != "\n" {
    precondition(scalar.properties.generalCategory != .control, "a message drives a terminal")
  }
}

/// What was read is written in a form that is read in the same way, and has room.
private func readRecords(_ bytes: [UInt8]) {
  if let message = SetupMessage(bytes[...]) {
    precondition(message.bytes.count <= SetupMessage.capacity, "a message has no room")
    precondition(SetupMessage(message.bytes[...]) == message, "a message changes")
  }
  let (lines, isWhole) = LaunchReport.lines(bytes)
  for line in lines {
    precondition(line.line.count <= LaunchReport.capacity, "a line has no room")
    precondition(LaunchReport.lines(line.line).lines == [line], "a line changes")
  }
  if let error = LaunchError(in: lines, isWhole: isWhole) { inspect(error.message) }
}

/// Takes `bytes` for each file that is read of a process, and tells of what was found.
private func look(at bytes: [UInt8]) {
  let words = bytes.split(separator: 0).map { ByteString($0) }
  let stat = StatLine(bytes)
  var process = ProcessFacts(
    number: 1, parent: stat?.parent ?? 0, started: stat?.started ?? 0,
    name: stat?.name ?? words.first ?? "")
  process.numbersInside = [1, 1]
  let survey = Survey(processes: [process], own: NamespaceNumbers(), user: 0)
  for sandbox in survey.sandboxes {
    let listed = ListedSandbox(sandbox: sandbox, network: .none, words: words, age: 1)
    let list = SandboxList([listed])
    let text = list.text(width: 80)
    precondition(text.split(separator: "\n").count == 2, "a name ends a line")
    inspect(text)
    var inspection = Inspection(listed, in: list, survey)
    inspection.network = NetworkFacts()
    inspection.network?.interfaces = NetworkFacts.interfaces(bytes)
    inspection.network?.addresses =
      NetworkFacts.addresses(tree: bytes) + NetworkFacts.addresses(listV6: bytes)
    inspection.maps.users = IdentityMaps.lines(bytes)
    inspection.limits = ResourceLimit.table(bytes)
    inspection.groups = ControlGroup.list(bytes)
    inspection.protection = Protection(StatusLines(bytes))
    inspection.mounts = MountTable(parsing: bytes).entries.map { MountUse(entry: $0) }
    inspect(inspection.text)
    inspect(inspection.json.text)
  }
}

/// Runs the chosen target once.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let bytes = UnsafeBufferPointer(start: start, count: count)
  switch Target.chosen {
  case .options:
    let words = bytes.split(separator: 0, omittingEmptySubsequences: false)
      .map { ByteString(Array($0)) }
    // Descriptors are the fuzzer's own: what reads one is left to the target `args`.
    let reading: [String] = ["--args", "--seccomp-policy", "--profile"]
    if words.contains(where: { word in reading.contains { word.bytes.elementsEqual($0.utf8) } }) {
      return 0
    }
    parse(words)
  case .args:
    write(bytes)
    // The parser closes what it has read.
    let copy = dup(Target.file.descriptor)
    parse(["--args", ByteString(String(copy)), "true"])
    close(copy)
  case .policy:
    write(bytes)
    do throws(PolicyError) {
      let choice = PolicyChoice(ByteString(Target.file.path))
      // Compiling takes libseccomp a while, and is libseccomp's work.
      if count < 100 { _ = try choice.program() } else { _ = try choice.policy() }
    } catch {
      inspect(error.message)
    }
  case .records: readRecords(Array(bytes))
  case .profile:
    write(bytes)
    parse(["--profile", ByteString(Target.file.path), "true"])
  case .elf:
    write(bytes)
    guard let file = ELFFile(of: Target.file.descriptor) else { return 0 }
    precondition(file.needed.count <= 512 && file.searchPath.count <= 32)
    for name in file.needed + file.searchPath { inspect(name.quoted) }
  case .script:
    guard let line = ScriptLine(Array(bytes)) else { return 0 }
    inspect(line.interpreter.quoted)
  case .running:
    look(at: Array(bytes))
  }
  return 0
}
