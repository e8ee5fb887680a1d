// SPDX-License-Identifier: Apache-2.0
// Why a command could not be executed, as seen by the process that tried: in the command's root and
// with the command's rights. It looks only after it has reported the failure, as a seccomp filter
// may end it for looking. Another command may have written the files that it looks at.

internal import Linux
internal import SystemPackage
internal import Text

/// The reason why the command cannot be executed.
enum ExecutionFinding: Equatable, Sendable {
  /// There is no file of that name.
  case missing
  /// The interpreter on the first line does not exist.
  case interpreterMissing(ByteString, of: ByteString)
  /// The first line ends with a carriage return.
  case carriageReturn(ByteString, of: ByteString)
  /// The program that loads it does not exist.
  case loaderMissing(ByteString, of: ByteString)
  /// It is a directory.
  case directory(ByteString)
  /// It may not be executed by this user.
  case notExecutable(ByteString)
  /// Its mount forbids execution.
  case noExecution(ByteString)
  /// It is for another processor.
  case foreign(ByteString, machine: UInt16)
  /// It is neither a program nor a script.
  case unknownFormat(ByteString)
  /// It is a script that names no interpreter, and there is no shell.
  case noShell(ByteString)
  /// A directory on the way may not be searched.
  case unsearchable(ByteString)
  /// Its descriptor is of another kind.
  case descriptor(ByteString)
}

// MARK: - The look

extension ExecutionFinding {
  /// How many scripts may name each other as interpreters; the kernel follows four.
  private static let mostScripts = 5

  /// Looks at `file`, whose execution failed with `errno`.
  init?(of file: ByteString, _ errno: Errno) {
    self.init(of: file, errno, depth: 0)
  }

  private init?(of file: ByteString, _ errno: Errno, depth: Int) {
    let facts: FileFacts
    do throws(SystemCallError) {
      facts = try FileFacts(at: file.path, followsLinks: true)
    } catch {
      switch error.errno {
      case .noSuchFileOrDirectory, .notDirectory: self = .missing
      case .permissionDenied:
        guard let directory = ExecutionFinding.unsearchable(above: file.path) else { return nil }
        self = .unsearchable(ByteString(directory))
      default: return nil
      }
      return
    }
    if facts.kind == .directory {
      self = .directory(file)
    } else if facts.kind != .regular {
      self = .notExecutable(file)
    } else if errno == .permissionDenied || !FileAccess.execute.isGranted(file.path) {
      self.init(denied: file, facts)
    } else {
      self.init(content: file, errno, depth)
    }
  }

  /// A regular file that may not be executed.
  private init?(denied file: ByteString, _ facts: FileFacts) {
    if facts.permissions & 0o111 != 0, FilesystemFlags.forbidExecution(at: file.path) {
      self = .noExecution(file)
    } else if !FileAccess.execute.isGranted(file.path) {
      self = .notExecutable(file)
    } else {
      return nil
    }
  }

  /// An executable file that the kernel does not accept as a program.
  private init?(content file: ByteString, _ errno: Errno, _ depth: Int) {
    guard depth < ExecutionFinding.mostScripts,
      let start = try? TextFile.beginning(of: file.path, ScriptLine.size)
    else { return nil }
    if let line = ScriptLine(start) {
      self.init(script: file, line, errno, depth)
    } else if start.starts(with: ELFFile.magic) {
      guard let program = ELFFile(at: file.path) else {
        self = .unknownFormat(file)
        return
      }
      if let loader = program.loader, (try? FileFacts(at: loader, followsLinks: true)) == nil {
        self = .loaderMissing(ByteString(loader), of: file)
      } else if program.machine != ELFFile.native {
        self = .foreign(file, machine: program.machine)
      } else if errno == .execFormatError {
        self = .unknownFormat(file)
      } else {
        return nil
      }
    } else if start.contains(0) {
      self = .unknownFormat(file)
    } else if (try? FileFacts(at: "/bin/sh", followsLinks: true)) == nil {
      self = .noShell(file)
    } else {
      return nil
    }
  }

  private init?(script file: ByteString, _ line: ScriptLine, _ errno: Errno, _ depth: Int) {
    let interpreter = line.interpreter
    if line.hasCarriageReturn {
      self = .carriageReturn(interpreter, of: file)
    } else if interpreter.isEmpty {
      self = .unknownFormat(file)
    } else if (try? FileFacts(at: interpreter.path, followsLinks: true)) == nil {
      self = .interpreterMissing(interpreter, of: file)
    } else {
      // The interpreter causes the failure; it may be a script too.
      self.init(of: interpreter, errno, depth: depth + 1)
    }
  }

  /// The first directory on the way to `path` that may not be searched.
  private static func unsearchable(above path: FilePath) -> FilePath? {
    var directory = FilePath(root: path.root, [])
    for component in path.components.dropLast() {
      directory.append(component)
      if !FileAccess.execute.isGranted(directory) { return directory }
    }
    return nil
  }
}

extension LaunchPlan {
  /// What only the failed process can see.
  func finding(about error: LaunchError) -> ExecutionFinding? {
    switch error.action {
    case .execute:
      return (error.cause.subject ?? error.subject).flatMap {
        ExecutionFinding(of: $0, error.cause.errno)
      }
    case .joinNamespace:
      guard let joined = sandbox.joined.named(by: error.option),
        let name = try? Descriptors.path(of: joined.descriptor)
      else { return nil }
      return .descriptor(ByteString(name))
    default: return nil
    }
  }
}
