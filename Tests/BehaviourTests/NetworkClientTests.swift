// SPDX-License-Identifier: Apache-2.0
// --net-allow and the profile network with the programs that people use: a name that is allowed works, and one
// that is not fails at once with the program's own message. The servers are in world.sh, with certificates made here.

import Foundation
import TestSupport
import Testing

@Suite("Clients of the network by name", .needs("python3"), .needs("ip"), .needs("openssl"))
struct NetworkClientTests {
  /// Makes a server's files in /mnt/www, which the other host then serves over HTTP (8081) and HTTPS
  /// (8443).
  private static let serve = """
    mkdir -p /mnt/www /mnt/home; cd /mnt
    openssl req -x509 -newkey rsa:2048 -nodes -days 2 -keyout key.pem -out ca.pem -subj /CN=web.test \\
      -addext subjectAltName=DNS:web.test 2>/dev/null
    echo hello >www/hello
    far() { nsenter --target "$(pgrep -f 'internet[.]py')" --net "$@"; }
    cat >serve.py <<'END'
    import functools, http.server, ssl, sys, threading
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory="/mnt/www")
    plain = http.server.ThreadingHTTPServer(("203.0.113.7", 8081), handler)
    secure = http.server.ThreadingHTTPServer(("203.0.113.7", 8443), handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER); context.load_cert_chain("/mnt/ca.pem", "/mnt/key.pem")
    secure.socket = context.wrap_socket(secure.socket, server_side=True)
    threading.Thread(target=plain.serve_forever, daemon=True).start()
    open("/mnt/ready", "w").close()
    secure.serve_forever()
    END
    far python3 serve.py >/mnt/served 2>&1 &
    while ! [ -e /mnt/ready ]; do sleep 0.02; done
    export HOME=/mnt/home
    box() {
      nestbox --unshare-user --unshare-pid --ro-bind / / --dev /dev --proc /proc --bind /mnt /mnt --tmpfs /tmp \\
        --net-allow web.test:80,8081,8443,2222 "$@"
    }
    # The status of a command that must not hang: musl would wait five seconds for a name server that fails.
    export -f box
    quickly() { timeout --signal=KILL 4 bash -c '"$@"' - "$@"; }

    """

  /// What allows the server.
  enum Way: CaseIterable {
    case rules, profile

    /// Replaces `box` of the rules.
    var box: String {
      switch self {
      case .rules: ""
      case .profile:
        """
        box() {
          nestbox --profile network --net-deny other.test --bind /mnt /mnt --chdir /mnt \\
            --keep-env GIT_SSH_COMMAND,GIT_CONFIG_NOSYSTEM,GIT_TERMINAL_PROMPT "$@"
        }

        """
      }
    }
  }

  private func run(_ script: String, by way: Way = .rules) throws -> Outcome {
    let session = try Session()
    for name in ["world.sh", "internet.py"] {
      try session.write(
        name, String(contentsOfFile: ProfileTests.programs + "/" + name, encoding: .utf8))
    }
    try session.write("script", NetworkClientTests.serve + way.box + script)
    return try session.run("bash world.sh bash script")
  }

  // Red: the relay breaks TLS, or a name that nobody allowed keeps a program waiting.
  @Test("Over HTTPS: curl and Python", .needs("curl"), arguments: Way.allCases)
  func https(_ way: Way) throws {
    let outcome = try run(
      """
      box curl -s --cacert ca.pem https://web.test:8443/hello
      box python3 -c '
      import ssl, urllib.request as r
      print(r.urlopen("https://web.test:8443/hello", context=ssl.create_default_context(cafile="ca.pem")).read())'
      quickly box curl -sS https://other.test/ 2>&1; echo $?
      quickly box python3 -c 'import urllib.request as r; r.urlopen("https://other.test/")' 2>&1 | grep '^urllib'
      """, by: way)
    #expect(
      outcome.lines.filter { !$0.hasPrefix("nestbox: ") } == [
        "hello", "b'hello\\n'", "curl: (6) Could not resolve host: other.test", "6",
        "urllib.error.URLError: <urlopen error [Errno -2] Name or service not known>",
      ], "\(outcome)")
  }

  // Red: git cannot clone what the rules allow, by HTTPS or by ssh.
  @Test(
    "git over HTTPS and ssh", .needs("git"), .needs("sshd"), .needs("ssh-keygen"),
    arguments: Way.allCases)
  func git(_ way: Way) throws {
    let outcome = try run(
      """
      export GIT_CONFIG_NOSYSTEM=1 GIT_TERMINAL_PROMPT=0
      git init -q work && cd work && echo text >file && git add file
      git -c user.name=n -c user.email=e commit -qm first && cd ..
      git clone -q --bare work www/work.git && git -C www/work.git update-server-info
      box env GIT_SSL_CAINFO=/mnt/ca.pem git clone -q https://web.test:8443/work.git /mnt/by-https; cat by-https/file
      quickly box git clone -q https://other.test/work.git no 2>&1 | grep fatal

      # A server that is an ordinary user: it needs no other users.
      printf 'tester:x:1234:1234::/mnt/home:/bin/sh\\n' | cat /etc/passwd - >passwd
      mount --bind passwd /etc/passwd
      ssh-keygen -q -t ed25519 -N '' -f host; ssh-keygen -q -t ed25519 -N '' -f user
      mkdir -p home/.ssh; cp user.pub home/.ssh/authorized_keys
      cat >sshd.conf <<END
      Port 2222
      ListenAddress 203.0.113.7
      HostKey /mnt/host
      PidFile /mnt/sshd.pid
      UsePAM no
      StrictModes no
      AuthorizedKeysFile /mnt/home/.ssh/authorized_keys
      END
      far unshare --user --map-user=1234 --map-group=1234 $(command -v sshd) -D -e -f /mnt/sshd.conf 2>sshd.log &
      while ! [ -e sshd.pid ]; do sleep 0.02; done
      echo "web.test $(cat host.pub)" | sed 's/^web.test/[web.test]:2222/' >known
      export GIT_SSH_COMMAND='ssh -F none -i /mnt/user -o UserKnownHostsFile=/mnt/known -o IdentitiesOnly=yes -o BatchMode=yes'
      box git clone -q ssh://tester@web.test:2222/mnt/work /mnt/by-ssh; cat by-ssh/file
      quickly box git clone -q ssh://tester@other.test/mnt/work no 2>&1 | tr -d '\r' | grep ssh:
      """, by: way)
    #expect(
      outcome.lines == [
        "text",
        "fatal: unable to access 'https://other.test/work.git/': Could not resolve host: other.test",
        "text", "ssh: Could not resolve hostname other.test: Name or service not known",
      ], "\(outcome)")
  }

  // Red: a runtime with its own resolver or its own thread does not find a name, or waits for one.
  @Test("Node", .needs("node"), arguments: Way.allCases)
  func node(_ way: Way) throws {
    let outcome = try run(
      """
      program='const [url] = process.argv.slice(1)
      fetch(url).then(r => r.text()).then(t => process.stdout.write(t), e => console.log(e.cause.code))'
      box node -e "$program" http://web.test:8081/hello
      quickly box node -e "$program" http://other.test/
      quickly box node -e 'require("dns").resolve4("other.test", e => console.log(e.code))'
      """, by: way)
    #expect(outcome.lines == ["hello", "ENOTFOUND", "ENOTFOUND"], "\(outcome)")
  }

  // Red: the same of the JVM, which also asks for IPv6 first.
  @Test("Java", .needs("javac"), arguments: Way.allCases)
  func java(_ way: Way) throws {
    let outcome = try run(
      """
      cat >Get.java <<'END'
      class Get {
        public static void main(String[] words) throws Exception {
          try (var in = new java.net.URL(words[0]).openStream()) { System.out.write(in.readAllBytes()); }
          catch (java.io.IOException e) { System.out.println(e); }
          System.out.flush();
        }
      }
      END
      javac -J-XX:-UsePerfData -nowarn Get.java 2>/dev/null
      # Otherwise it keeps a file named by its pid in /tmp, which another JVM may have locked.
      java='java -XX:-UsePerfData -XX:TieredStopAtLevel=1 -cp /mnt'
      box $java Get http://web.test:8081/hello
      box $java Get http://other.test/
      """, by: way)
    #expect(outcome.lines == ["hello", "java.net.UnknownHostException: other.test"], "\(outcome)")
  }

  // Red: the same of Go, which reads the resolver's files itself or leaves that to the C library.
  @Test("Go", .needs("gccgo"), arguments: Way.allCases)
  func go(_ way: Way) throws {
    let outcome = try run(
      """
      cat >get.go <<'END'
      package main

      import (
        "fmt"
        "io"
        "net/http"
        "os"
      )

      func main() {
        answer, err := http.Get(os.Args[1])
        if err != nil {
          fmt.Println(err)
          os.Exit(1)
        }
        io.Copy(os.Stdout, answer.Body)
      }
      END
      gccgo -o get get.go
      for resolver in go cgo; do
        box --setenv GODEBUG netdns=$resolver ./get http://web.test:8081/hello
        quickly box --setenv GODEBUG netdns=$resolver ./get http://other.test/
      done
      """, by: way)
    #expect(
      outcome.lines == [
        "hello",
        "Get \"http://other.test/\": dial tcp: lookup other.test on 198.18.0.53:53: no such host",
        "hello", "Get \"http://other.test/\": dial tcp: lookup other.test: no such host",
      ], "\(outcome)")
  }

  // Red: a program asks again, as it does after seconds without an answer or after a failure of the name server.
  @Test(
    "A denied name is asked for once for each family", .needs("curl"), .needs("node"),
    .needs("musl-gcc"), .needs("javac"), .needs("gccgo"), .needs("git"))
  func askedOnce() throws {
    let outcome = try run(
      """
      printf '%s\n' '#include <netdb.h>' 'int main(void) { struct addrinfo *found; return getaddrinfo("other.test", "80", 0, &found); }' >find.c
      musl-gcc -static -o find find.c
      printf '%s\n' 'class Find { public static void main(String[] w) throws Exception { java.net.InetAddress.getByName("other.test"); } }' >Find.java
      javac -J-XX:-UsePerfData Find.java
      printf '%s\n' 'package main' 'import "net"' 'func main() { net.LookupHost("other.test") }' >find.go
      gccgo -o gofind find.go
      while read -r command; do
        box --net-log 4 --setenv GODEBUG netdns=go bash -c "$command" </dev/null >/dev/null 2>&1 4>asked
        # How often either family was asked for, and whether the answer waited for anything outside.
        echo "$(grep -c '"other.test"' asked) $(grep -c 'asked other' /mnt/log) $command"
      done <<'END'
      getent ahosts other.test
      curl http://other.test/
      python3 -c 'import socket; socket.getaddrinfo("other.test", 80)'
      node -e 'fetch("http://other.test/").catch(e => 0)'
      node -e 'require("dns").resolve4("other.test", e => 0)'
      java -XX:-UsePerfData -cp /mnt Find
      ./find
      ./gofind
      git ls-remote https://other.test/x
      END
      """)
    #expect(outcome.lines.count == 9, "\(outcome)")
    for line in outcome.lines {
      #expect(line.hasPrefix("1 0 ") || line.hasPrefix("2 0 "), "\(outcome)")
    }
  }

  // Red: another C library asks its name server in its own way: musl waits five seconds for one that
  // answers with a failure.
  @Test("A program of musl", .needs("musl-gcc"), arguments: Way.allCases)
  func musl(_ way: Way) throws {
    let outcome = try run(
      """
      cat >find.c <<'END'
      #include <arpa/inet.h>
      #include <netdb.h>
      #include <stdio.h>
      int main(int count, char **words) {
        struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found;
        int error = getaddrinfo(words[1], "80", &hints, &found);
        if (error) return puts(gai_strerror(error)), 1;
        for (; found; found = found->ai_next) puts(found->ai_family == AF_INET ? "IPv4" : "IPv6");
        return 0;
      }
      END
      musl-gcc -static -o find find.c
      box ./find web.test | sort -u; quickly box ./find other.test; quickly box ./find name-without-dots
      """, by: way)
    #expect(
      outcome.lines == ["IPv4", "IPv6", "Name does not resolve", "Name does not resolve"],
      "\(outcome)")
  }

  // Red: packages cannot be installed from the servers that the rules allow.
  @Test("pip", .needs("pip3"), arguments: Way.allCases)
  func pip(_ way: Way) throws {
    let outcome = try run(
      """
      mkdir -p www/simple/tiny home/pip; cd www/simple/tiny
      python3 - <<'END'
      import zipfile
      with zipfile.ZipFile("tiny-1.0-py3-none-any.whl", "w") as wheel:
          wheel.writestr("tiny.py", "word = 'installed'\\n")
          wheel.writestr("tiny-1.0.dist-info/METADATA", "Metadata-Version: 2.1\\nName: tiny\\nVersion: 1.0\\n")
          wheel.writestr("tiny-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\\nGenerator: x\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
          wheel.writestr("tiny-1.0.dist-info/RECORD", "")
      END
      echo '<a href="tiny-1.0-py3-none-any.whl">tiny-1.0-py3-none-any.whl</a>' >index.html; cd /mnt
      get() { box python3 -m pip --isolated --disable-pip-version-check --no-cache-dir install -q --target /mnt/lib --retries 0 "$@"; }
      get --cert /mnt/ca.pem --index-url https://web.test:8443/simple tiny 2>&1 | grep -v '^WARNING: Running'
      PYTHONPATH=/mnt/lib python3 -c 'import tiny; print(tiny.word)'
      get --index-url https://other.test/simple tinier 2>&1 | grep -c 'No matching distribution found for tinier'
      """, by: way)
    #expect(
      outcome.lines.first == "installed" && outcome.lines.last != "0" && outcome.lines.count == 2,
      "\(outcome)")
  }

  // Red: the same with apt, whose methods are processes of their own.
  @Test("apt", .needs("apt-get"), arguments: Way.allCases)
  func apt(_ way: Way) throws {
    let outcome = try run(
      """
      mkdir -p www/debs apt/lists/partial apt/cache/archives/partial apt/etc
      : >www/debs/Packages
      printf 'Origin: test\\nDate: %s\\nMD5Sum:\\nSHA256:\\n %s 0 Packages\\n' \\
        "$(date -Ru)" "$(sha256sum www/debs/Packages | cut -c 1-64)" >www/debs/Release
      : >apt/status
      update() {
        echo "deb [trusted=yes] $1 ./" >apt/etc/sources.list
        box apt-get -o Dir::Etc=/mnt/apt/etc -o Dir::State=/mnt/apt -o Dir::State::status=/mnt/apt/status \\
          -o Dir::Cache=/mnt/apt/cache -o APT::Sandbox::User= -o Acquire::Retries=0 -o Dir::Log=/mnt/apt update 2>&1
      }
      update http://web.test:8081/debs | grep -c 'Reading package lists'
      update http://other.test/debs | grep -c "Could not resolve 'other.test'"
      """, by: way)
    #expect(outcome.lines.first == "1" && outcome.lines.last != "0", "\(outcome)")
  }

  // Red: a browser, which looks names up in its own way, shows no page.
  @Test("Chromium", .needs("chromium"))
  func chromium() throws {
    let outcome = try run(
      """
      dump() {
        timeout --signal=KILL "${NESTBOX_PATIENCE:-150}" nestbox --unshare-user --unshare-pid --ro-bind / / --dev /dev --proc /proc --tmpfs /tmp \\
          --bind /mnt /mnt --net-allow web.test:8081 chromium --headless --no-sandbox --disable-gpu \\
          --user-data-dir=/tmp/profile --dump-dom "$1" 2>&1
      }
      echo '<p>hello from the web</p>' >www/page.html
      dump http://web.test:8081/page.html | grep -o 'hello from the web'
      # Without a link it takes itself for offline.
      dump http://other.test/ | grep -oE 'ERR_(NAME_NOT_RESOLVED|INTERNET_DISCONNECTED)' | sort -u | wc -l
      """)
    #expect(outcome.lines == ["hello from the web", "1"], "\(outcome)")
  }

  // Red: pages that ask whether the machine is online show nothing of the web in a browser's sandbox.
  @Test("A browser takes itself for online", .needs("chromium"))
  func online() throws {
    let outcome = try run(
      """
      echo '<body><script>document.body.append("line " + navigator.onLine)</script>' >www/page.html
      show() {
        timeout --signal=KILL "${NESTBOX_PATIENCE:-150}" nestbox "$@" --bind /mnt /mnt --chdir /mnt chromium --headless --no-sandbox \\
          --disable-gpu --user-data-dir=/tmp/data --dump-dom http://web.test:8081/page.html 2>errors |
          grep -oE 'line (true|false)' || cat errors >&2
      }
      show --profile browser; show --profile desktop --profile network
      # A command that starts in a moment does without.
      show --profile network --ro-same-try /etc/chromium.d
      """)
    #expect(outcome.lines == ["line true", "line true", "line false"], "\(outcome)")
  }
}
