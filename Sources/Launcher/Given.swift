// SPDX-License-Identifier: Apache-2.0
// What a run's line and FILE give a command, read before the run. Profiles, policies, directories and links that
// they name may be the command's to change: read after the run, they would be compared with themselves.

internal import Options
internal import Sandbox
internal import Text

/// What a sandbox gives its command, as it is when this value is made.
struct Allowance {
  /// The host's files.
  let exposure: Exposure
  /// Everything else.
  let rights: Rights
  /// Why the new root cannot be made; nil if it can.
  let failure: String?

  init(_ sandbox: ResolvedSandbox, _ plan: Plan) {
    (exposure, rights, failure) = (Exposure(plan), Rights(sandbox), plan.failure)
  }

  init(_ sandbox: ResolvedSandbox) { self.init(sandbox, sandbox.plan()) }
}

/// What a run's line and FILE give its command before the run.
struct Given {
  /// What the line gives.
  let line: Allowance
  /// What FILE gives; nil if it cannot be used: then it gives nothing.
  private(set) var file: Allowance?
  /// Why FILE cannot be used.
  private(set) var mistake: UsageError?
  /// The text of FILE.
  private(set) var text: [UInt8]

  /// Looks at a line, and at the profile with this text in the file `path`, which is empty if there is none.
  init(
    _ sandbox: ResolvedSandbox, _ plan: Plan, _ text: [UInt8], as path: ByteString,
    _ launcher: Launcher, _ command: [ByteString]
  ) {
    line = Allowance(sandbox, plan)
    self.text = text
    look(at: text, as: path, launcher, command)
  }

  /// Looks at what another run has written into FILE meanwhile; that run has compared it itself.
  ///
  /// Files that it includes may have been changed by this run's command, so a FILE that does so counts for nothing.
  mutating func replaceFile(
    _ profile: LearnedProfile, as path: ByteString, _ launcher: Launcher, _ command: [ByteString]
  ) {
    (text, file, mistake) = (profile.text, nil, nil)
    if !profile.includesOthers { look(at: text, as: path, launcher, command) }
  }

  private mutating func look(
    at text: [UInt8], as path: ByteString, _ launcher: Launcher, _ command: [ByteString]
  ) {
    if text.isEmpty { return }
    do throws(UsageError) {
      file = Allowance(try launcher.resolved(text, as: path, for: command))
    } catch {
      mistake = error
    }
  }
}
