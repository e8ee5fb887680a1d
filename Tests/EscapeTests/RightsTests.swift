// SPDX-License-Identifier: Apache-2.0
// A hostile command under each built-in profile: what SECURITY.md's tables say of it.

import Foundation
import TestSupport
import Testing

/// What a hostile command gets and keeps under a built-in profile.
struct ProfileRights: Sendable, CustomTestStringConvertible {
  let profile: String
  /// What of `reach` it reaches.
  var reached = ""
  /// The files that it can leave on the host, where it tries everywhere.
  var kept = ""
  /// How many processes it may have; init is one more.
  var processes = 2000
  /// The attacks that are not refused.
  var open: Set<String> = []
  /// Further options.
  var options = ""

  var testDescription: String { profile }

  /// What the policy `desktop` leaves to programs with windows.
  private static let byPolicy: Set<String> = ["user-namespace", "other-numbers", "dangerous-calls"]

  private static let cache = ".cache/nestbox/caches/HOME/project/.cache/left"

  /// The attacks that must fail.
  static func attacks(under rights: ProfileRights) -> [Attack] {
    Attack.all.filter { $0.boxes.contains(.untrusted) && !rights.open.contains($0.name) }
  }

  static let all = [
    ProfileRights(profile: "untrusted"),
    ProfileRights(profile: "shell"),
    ProfileRights(profile: "build", kept: "project/left"),
    ProfileRights(profile: "git", kept: "project/left"),
    ProfileRights(profile: "agent", reached: "tool", kept: "\(cache) project/left"),
    ProfileRights(profile: "caches", kept: cache),
    ProfileRights(profile: "toolchains", reached: "tool"),
    ProfileRights(profile: "certificates"),
    ProfileRights(profile: "network"),
    ProfileRights(profile: "host-network", reached: "localhost"),
    ProfileRights(profile: "wayland", reached: "wayland"),
    ProfileRights(profile: "x11", reached: "x11"),
    ProfileRights(profile: "audio", reached: "pipewire pulse"),
    ProfileRights(profile: "gpu"),
    ProfileRights(profile: "fonts-and-themes", reached: "fonts"),
    ProfileRights(profile: "dbus", options: "--dbus-try"),
    ProfileRights(profile: "desktop", reached: "fonts wayland x11", open: byPolicy),
    ProfileRights(
      profile: "browser", reached: "fonts wayland x11",
      kept: ".local/share/nestbox/browser/left Downloads/left", processes: 10000, open: byPolicy),
  ]
}

@Suite("Rights of profiles", .needs("gcc"), .needs("python3"))
struct RightsTests {
  // Red: a profile has a right that its table in SECURITY.md denies.
  @Test("Each attack fails under each profile", arguments: ProfileRights.all)
  func attacks(_ rights: ProfileRights) throws {
    let attacks = ProfileRights.attacks(under: rights).filter { User.isRoot || !$0.needsRoot }
    let box = """
      mkdir -p project; export XDG_RUNTIME_DIR=$PWD/run; mkdir -m 700 -p run
      options=("${kept[@]}" --setenv OWN_USER "$(id -u)" --ro-bind "$tools" "$tools" --ro-bind "$H/data" "$H/data" "${work[@]}")
      box() { nestbox --profile \(rights.profile) \(rights.options) "${options[@]}" "$@"; }

      """
    // Those that need nothing outside share a sandbox.
    let together = attacks.filter { $0.scene.isEmpty }.map(\.name).joined(separator: " ")
    let scenes = attacks.filter { !$0.scene.isEmpty }.map {
      """
      printf '%s ' \($0.name); (cd project; \($0.scene)nestbox --profile \(rights.profile) \(rights.options) "${options[@]}" "$tools/hostile" \($0.name))
      """
    }
    let outcome = try Session().attack(
      box + """
        (cd project; box bash -c 'for name in \(together); do printf "%s " $name; "$1/hostile" $name; done' bash "$tools")
        \(scenes.joined(separator: "\n"))
        cat data/file
        """, "export MARKER=hidden-marker")
    #expect(
      outcome.lines.filter { !$0.hasSuffix(" held") } == ["untouched"], "\(outcome)")
    #expect(outcome.lines.count == attacks.count + 1, "\(outcome)")
  }

  /// Servers and files outside, at the places that sessions have; prints where they are.
  private static let outside = """
    import ctypes, os, socket, subprocess, sys, tempfile
    home, options = os.getcwd(), sys.argv[1:]
    run = home + "/run"; os.makedirs(run + "/pulse", mode=0o700); os.makedirs("project")
    for path in ".ssh/id", ".local/bin/tool", ".local/share/fonts/font", ".config/user-dirs.dirs":
      os.makedirs(os.path.dirname(path), exist_ok=True)
      with open(path, "w") as file: file.write('XDG_DOWNLOAD_DIR="$HOME/Downloads"')
    open(".config/pulse-cookie", "w").close()
    os.makedirs("Downloads"); os.makedirs("/tmp/.X11-unix", mode=0o1777, exist_ok=True)
    servers = []
    def serve(family, address):
      server = socket.socket(family); server.bind(address); server.listen(64); servers.append(server)
      return server.getsockname()
    number = os.getpid() % 30000 + 100
    places = {name: serve(socket.AF_UNIX, run + "/" + path) for name, path in {
      "bus": "bus", "pulse": "pulse/native", "pipewire": "pipewire-0", "manager": "pipewire-0-manager", "wayland": "wayland-0",
      "agent": "agent"}.items()}
    display = serve(socket.AF_UNIX, f"/tmp/.X11-unix/X{number}")
    places["abstract"] = "\\0" + serve(socket.AF_UNIX, f"\\0nestbox-{number}")[1:].decode()
    port = serve(socket.AF_INET, ("127.0.0.1", 0))[1]
    library = ctypes.CDLL(None); library.shmget.argtypes = ctypes.c_int, ctypes.c_size_t, ctypes.c_int
    segment = library.shmget(number, 4096, 0o1600)
    environment = dict(os.environ, HOME=home, XDG_RUNTIME_DIR=run, WAYLAND_DISPLAY="wayland-0",
      DISPLAY=f":{number}", SSH_AUTH_SOCK=places["agent"], DBUS_SESSION_BUS_ADDRESS="unix:path=" + places["bus"],
      SECRET_TOKEN="secret")
    environment.pop("XDG_CACHE_HOME", None); environment.pop("XDG_DATA_HOME", None)
    try:
      inside = subprocess.run(["nestbox", *options, sys.executable, "-c", open("inside.py").read(),
        repr(places), str(port), str(number), home], cwd="project", env=environment, stdout=subprocess.PIPE)
    finally:
      library.shmctl(segment, 0, None); os.unlink(display)
    print(inside.stdout.decode(), end="")
    left = subprocess.run(["find", ".", "-name", "left"], stdout=subprocess.PIPE).stdout.decode().split()
    print("kept: " + " ".join(sorted(path[2:] for path in left)).replace(home[1:], "HOME"))
    """

  /// What the command reaches of it.
  private static let inside = """
    import ctypes, os, resource, socket, sys
    places, port, number, home = eval(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    reached = set()
    def attempt(name, body):
      try:
        if body() is not False: reached.add(name)
      except OSError: pass
    def connect(family, address):
      client = socket.socket(family); client.settimeout(5); client.connect(address)
    for name, place in places.items(): attempt(name, lambda: connect(socket.AF_UNIX, place))
    display = os.environ.get("DISPLAY", ":%d" % number).split(":")[1].split(".")[0]
    attempt("x11", lambda: connect(socket.AF_UNIX, "/tmp/.X11-unix/X" + display))
    attempt("localhost", lambda: connect(socket.AF_INET, ("127.0.0.1", port)))
    library = ctypes.CDLL(None); library.shmget.argtypes = ctypes.c_int, ctypes.c_size_t, ctypes.c_int
    attempt("memory", lambda: library.shmget(number, 0, 0) >= 0)
    attempt("secret", lambda: open(home + "/.ssh/id"))
    attempt("tool", lambda: open(home + "/.local/bin/tool"))
    attempt("fonts", lambda: open(home + "/.local/share/fonts/font"))
    attempt("variable", lambda: "SECRET_TOKEN" in os.environ)
    attempt("system", lambda: open("/usr/left", "w"))
    # The pseudo-terminals are those of the sandbox.
    known = {"console", "core", "fd", "full", "mqueue", "null", "ptmx", "pts", "random", "shm", "stderr", "stdin",
      "stdout", "tty", "urandom", "zero"}
    attempt("devices", lambda: bool(set(os.listdir("/dev")) - known - {"dri", "kfd", "dxg"}))
    for place in home, home + "/project", home + "/.cache", home + "/Downloads", home + "/.local/bin", "/tmp":
      attempt("", lambda: open(place + "/left", "w"))
    print("reached: " + " ".join(sorted(reached - {""})))
    print("processes:", resource.getrlimit(resource.RLIMIT_NPROC)[0])
    """

  private func reach(_ options: String) throws -> Outcome {
    let session = try Session()
    try session.write("outside.py", RightsTests.outside)
    try session.write("inside.py", RightsTests.inside)
    return try session.run("python3 outside.py \(options)")
  }

  // Red: under a profile a command reaches more, or less, than its table in SECURITY.md says.
  @Test(
    "Under each profile a command reaches what the table says and nothing else",
    arguments: ProfileRights.all)
  func reach(_ rights: ProfileRights) throws {
    let outcome = try reach("--profile \(rights.profile) \(rights.options)")
    let expected = [
      "reached: \(rights.reached)", "processes: \(rights.processes + 1)", "kept: \(rights.kept)",
    ]
    #expect(outcome.lines == expected, "\(outcome)")
  }

  // Red: the test above shows nothing, as the servers and files are out of everybody's reach.
  @Test func `Without protection everything is reached`() throws {
    let outcome = try reach("--dev-bind / /")
    #expect(
      outcome.lines.first == "reached: abstract agent bus devices fonts localhost manager memory "
        + "pipewire pulse secret tool variable wayland x11", "\(outcome)")
  }
}
