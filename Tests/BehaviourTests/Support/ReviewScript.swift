// SPDX-License-Identifier: Apache-2.0
// The beginning of scripts that review the directory `proj`.

/// What such scripts share, in Python.
enum ReviewScript {
  static let beginning = #"""
    import json, os, shutil, signal, subprocess, time
    os.environ["XDG_STATE_HOME"] = os.path.abspath("state"); store = "state/nestbox/reviews"; os.mkdir("proj")
    def nestbox(*words, **more): return subprocess.run(["nestbox", *words], capture_output=True, text=True, **more)
    def write(path, text):
      with open(path, "w") as file: file.write(text)

    """#
}
