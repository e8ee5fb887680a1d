// SPDX-License-Identifier: Apache-2.0
// Tells files that are not there from answers that the kernel did not give.

internal import SystemPackage

/// The result of `look`; nil if it fails with an error that says that a path leads to no file, or to
/// none that this process may reach.
///
/// Any other error is no such proof: with a lack of memory taken for one, a profile would show
/// another program, and `--mask-glob` would hide nothing.
/// - Throws: Every other error of `look`.
func unlessMissing<Result>(
  _ look: () throws(SystemCallError) -> Result
) throws(SystemCallError) -> Result? {
  var isSecond = false
  while true {
    do throws(SystemCallError) {
      return try look()
    } catch {
      switch error.errno {
      case .noSuchFileOrDirectory, .notDirectory, .tooManySymbolicLinkLevels, .fileNameTooLong:
        return nil
      // A security module or a server of files may answer so only once.
      case .permissionDenied where isSecond: return nil
      case .permissionDenied: isSecond = true
      default: throw error
      }
    }
  }
}
