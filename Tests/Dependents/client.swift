// SPDX-License-Identifier: Apache-2.0
// Another package's program, which describes a sandbox and compiles a policy.

import Sandbox
import Seccomp

var sandbox = Sandbox()
sandbox.command = ["true"]
sandbox.policy = PolicyChoice("default")
try sandbox.validate()
sandbox.hostname = Setting("needs-a-namespace", WrittenOption("--hostname"))
do {
  try sandbox.validate()
} catch {
  print(error.message)
}
print(try PolicyChoice("strict").program().instructions.count > 100)
