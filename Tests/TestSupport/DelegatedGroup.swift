// SPDX-License-Identifier: Apache-2.0
// A control group that root gives to the ordinary user, for tests of limits that need one.

import Testing

/// A delegated control group.
package enum DelegatedGroup {
  /// Runs a script of root's in which `in_group WORDS…` executes these words as the ordinary user.
  ///
  /// They run in a control group below one of that user's, who owns the script's directory then. What the
  /// launcher leaves of its groups is printed. The test is cancelled where no group can be made.
  package static func run(_ script: String, files: [String: String] = [:]) throws -> Outcome {
    let session = try Session(as: .root)
    for (name, text) in files { try session.write(name, text) }
    let outcome = try session.run(function + script)
    if outcome.status == 77 { try Test.cancel("needs a control group of version 2") }
    return outcome
  }

  private static let function = """
    in_group() {
      local top group status=0
      for top in /sys/fs/cgroup /sys/fs/cgroup/unified; do
        [ "$(stat -f -c %T $top 2>/dev/null)" != cgroup2fs ] || break
      done
      group=$top/nestbox-test-$$
      mkdir $group $group/shell 2>/dev/null || exit 77
      chown -R \(User.ordinaryID):\(User.ordinaryID) $group . && chmod 755 .
      bash -c 'echo $$ >"$0/shell/cgroup.procs"
        exec setpriv --reuid=$1 --regid=$1 --clear-groups "${@:2}"' $group \(User.ordinaryID) "$@" || status=$?
      find $group -mindepth 2 -type d; find $group -mindepth 1 -maxdepth 1 -name 'nestbox-*'
      for i in {1..50}; do rmdir $group/shell $group 2>/dev/null; [ -e $group ] || break; sleep 0.1; done
      return $status
    }

    """
}
