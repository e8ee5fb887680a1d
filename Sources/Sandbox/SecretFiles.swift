// SPDX-License-Identifier: Apache-2.0
// The one list of files of a person that are secret: `--tmp-home` leaves them out, and a dry run warns
// of those that are visible.

internal import Linux
internal import SystemPackage
internal import Text

/// Files and directories with keys, passwords, tokens, cookies, mail, or what somebody has typed.
enum SecretFiles {
  /// Their paths in a home directory.
  ///
  /// One that begins with a directory of `directories` is also looked for where the variable says that
  /// this directory is.
  private static var inHome: [StaticString] {
    [
      // Keys and passwords.
      ".ssh", ".gnupg", ".pki", ".password-store", ".local/share/keyrings", ".gnome2/keyrings",
      ".local/share/kwalletd", ".kde/share/apps/kwallet", ".kde4/share/apps/kwallet",
      ".config/keepassxc", ".config/KeePass", ".config/Bitwarden", ".config/Bitwarden CLI",
      ".config/1Password", ".config/op", ".config/age", ".config/sops", ".netrc", ".authinfo",
      ".authinfo.gpg", ".vault-token", ".Xauthority", ".ICEauthority", ".vnc", ".smbcredentials",
      ".config/rclone", ".rclone.conf", ".config/borg", ".config/restic", ".putty", ".config/putty",
      // Version control and its servers.
      ".git-credentials", ".config/git/credentials", ".cache/git/credential", ".config/gh",
      ".config/hub", ".config/glab-cli", ".config/tea", ".config/github-copilot",
      ".subversion/auth",
      ".hgrc", ".config/hg",
      // Clouds and clusters.
      ".aws", ".azure", ".kube", ".config/gcloud", ".boto", ".s3cfg", ".config/doctl", ".oci",
      ".config/hcloud", ".config/scw", ".config/linode-cli", ".config/openstack", ".terraform.d",
      ".terraformrc", ".config/pulumi", ".pulumi", ".fly", ".config/netlify", ".config/heroku",
      ".config/configstore", ".local/share/com.vercel.cli", ".docker/config.json", ".dockercfg",
      ".config/containers/auth.json", ".config/helm", ".config/argocd", ".minikube", ".vagrant.d",
      // Registries of packages.
      ".npmrc", ".yarnrc", ".yarnrc.yml", ".config/pip", ".pip", ".pypirc", ".config/pypoetry",
      ".local/share/uv/credentials", ".cargo/credentials", ".cargo/credentials.toml",
      ".gem/credentials", ".local/share/gem/credentials", ".bundle/config", ".m2/settings.xml",
      ".m2/settings-security.xml", ".gradle/gradle.properties", ".config/composer/auth.json",
      ".composer/auth.json", ".nuget/NuGet", ".config/NuGet", ".condarc", ".huggingface",
      ".cache/huggingface/token", ".cache/huggingface/stored_tokens", ".kaggle", ".config/wandb",
      // Databases.
      ".pgpass", ".my.cnf", ".mylogin.cnf", ".mongorc.js", ".config/pgcli", ".config/litecli",
      // Agents.
      ".claude.json", ".claude/.credentials.json", ".codex/auth.json", ".gemini/oauth_creds.json",
      ".config/goose", ".aider.conf.yml", ".local/share/opencode/auth.json",
      // Browsers, mail and chat, with their copies in caches, flatpak's and snap's too.
      ".mozilla", ".config/mozilla", ".thunderbird", ".config/chromium", ".config/google-chrome",
      ".config/google-chrome-beta", ".config/google-chrome-unstable", ".config/BraveSoftware",
      ".config/microsoft-edge", ".config/opera", ".config/vivaldi", ".config/qutebrowser",
      ".local/share/qutebrowser", ".config/epiphany", ".local/share/epiphany", ".librewolf",
      ".waterfox", ".tor-browser", ".local/share/torbrowser", ".cache/mozilla", ".cache/chromium",
      ".cache/google-chrome", ".cache/BraveSoftware", ".cache/microsoft-edge", ".cache/thunderbird",
      ".config/evolution", ".local/share/evolution", ".cache/evolution", ".config/geary",
      ".local/share/geary", ".config/goa-1.0", ".config/neomutt", ".config/mutt", ".mutt",
      ".muttrc",
      ".mbsyncrc", ".offlineimaprc", ".msmtprc", ".config/msmtp", ".fetchmailrc", ".mail", "Mail",
      "Maildir", ".config/Signal", ".config/Slack", ".config/discord", ".config/Element",
      ".local/share/TelegramDesktop", ".config/Microsoft", ".config/teams-for-linux", ".purple",
      ".weechat", ".config/weechat", ".irssi", ".config/hexchat", ".config/skypeforlinux",
      ".config/zoom.conf", ".config/zoomus.conf", ".config/Code", ".config/Code - OSS",
      ".config/VSCodium", ".config/Cursor", ".config/filezilla", ".config/remmina",
      ".local/share/remmina", ".config/rdp", ".var/app", "snap", ".wine", ".steam",
      ".local/share/Steam",
      // Money.
      ".bitcoin", ".electrum", ".ethereum", ".monero", ".config/solana", ".config/Ledger Live",
      // What somebody has typed, copied or opened.
      ".bash_history", ".zsh_history", ".zhistory", ".histfile", ".history", ".sh_history",
      ".ksh_history", ".local/share/fish", ".python_history", ".node_repl_history", ".psql_history",
      ".mysql_history", ".sqlite_history", ".rediscli_history", ".lesshst", ".viminfo",
      ".wget-hsts",
      ".local/state/vim", ".local/state/nvim", ".local/share/nvim/shada", ".local/state/bash",
      ".local/state/zsh", ".local/state/less", ".local/share/recently-used.xbel",
      ".local/share/klipper", ".cache/clipboard-indicator@tudmotu.com", ".local/share/atuin",
      ".local/share/Trash", ".cache/thumbnails", ".local/state/nestbox", ".xsession-errors",
    ]
  }

  /// Directories that a variable may put elsewhere.
  ///
  /// See the XDG Base Directory Specification.
  private static var directories: [(StaticString, StaticString)] {
    [
      ("XDG_CONFIG_HOME", ".config"), ("XDG_DATA_HOME", ".local/share"),
      ("XDG_CACHE_HOME", ".cache"), ("XDG_STATE_HOME", ".local/state"), ("CARGO_HOME", ".cargo"),
      ("GRADLE_USER_HOME", ".gradle"), ("DOCKER_CONFIG", ".docker"),
      ("CLAUDE_CONFIG_DIR", ".claude"),
      ("CODEX_HOME", ".codex"), ("HF_HOME", ".cache/huggingface"),
    ]
  }

  /// Variables that name secret files, one or several with colons between them.
  private static var variables: [StaticString] {
    [
      "GNUPGHOME", "PASSWORD_STORE_DIR", "KUBECONFIG", "NETRC", "XAUTHORITY", "ICEAUTHORITY",
      "AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE", "AZURE_CONFIG_DIR", "CLOUDSDK_CONFIG",
      "GOOGLE_APPLICATION_CREDENTIALS", "BOTO_CONFIG", "GH_CONFIG_DIR", "PGPASSFILE", "MYSQL_HOME",
      "NPM_CONFIG_USERCONFIG", "npm_config_userconfig", "PIP_CONFIG_FILE", "RCLONE_CONFIG",
      "REGISTRY_AUTH_FILE", "SOPS_AGE_KEY_FILE", "BORG_KEYS_DIR", "RESTIC_PASSWORD_FILE",
      "HISTFILE",
      "PYTHON_HISTORY", "PSQL_HISTORY", "LESSHISTFILE", "MAIL", "TF_CLI_CONFIG_FILE",
    ]
  }

  /// Where all of them may lie for a caller with these variables.
  static func paths(in home: FilePath, _ environment: [ByteString]) -> [FilePath] {
    var paths = inHome.map { home.pushing(FilePath("\($0)")) }
    for (variable, name) in directories {
      let directory = FilePath("\(name)")
      for place in values(of: variable, in: environment) {
        for secret in inHome.map({ FilePath("\($0)") }) where secret.starts(with: directory) {
          let rest = secret.components.dropFirst(directory.components.count)
          paths.append(place.appending(rest))
        }
      }
    }
    for variable in variables { paths += values(of: variable, in: environment) }
    return paths
  }

  /// Where a path leads, with links followed as far as it exists.
  static func place(of path: FilePath, on host: any HostFiles) -> FilePath {
    var steps = PathSteps(path)
    var place: FilePath = "/"
    while let step = steps.next() {
      guard case .entry(let name) = step else {
        place.removeLastComponent()
        continue
      }
      let next = place.appending(name)
      guard let target = host.target(of: next) else {
        place = next
        continue
      }
      guard steps.follow(target) else { return path }
      if target.isAbsolute { place = "/" }
    }
    return place
  }

  private static func values(of name: StaticString, in environment: [ByteString]) -> [FilePath] {
    guard let value = Environment.value(of: ByteString("\(name)"), in: environment) else {
      return []
    }
    return value.bytes.split(separator: UInt8(ascii: ":")).map { ByteString($0).path }
      .filter(\.isAbsolute)
  }
}
