// SPDX-License-Identifier: Apache-2.0
// A watcher that does not report, for the tests of --explain, --learn and --verify.

enum StoppedWatcher {
  /// Shell lines: with the launcher in `$launcher`, whose command writes to `out` and then reads from the
  /// FIFO `go`, they stop the watcher, let the command end, and print the launcher's status.
  static let lines = """
    exec 9>go
    while [ ! -s out ]; do sleep 0.1; done
    # Of the launcher's children, init alone has a child.
    for p in $(pgrep -P $launcher); do pgrep -P $p >/dev/null || watcher=$p; done
    kill -STOP $watcher
    echo >&9
    wait $launcher; echo $?
    """
}
