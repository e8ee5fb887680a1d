// SPDX-License-Identifier: Apache-2.0
// Domains of which a rule allows more than it seems to. The lists have those that people type, not all.

internal import Text

extension DomainName {
  /// Whether anybody can get a name below it.
  ///
  /// See https://publicsuffix.org.
  public var isOpenToAll: Bool {
    dots == 0 || isIn(DomainName.registries) || isIn(DomainName.sharedServers)
  }

  /// Whether its servers serve many sites, so that who reaches one of them can ask it for the others.
  public var isOnSharedServers: Bool {
    DomainName.sharedServers.split(separator: " ").contains { words in
      bytes.elementsEqual(words.utf8)
        || bytes.count > words.utf8.count
          && bytes.suffix(words.utf8.count).elementsEqual(words.utf8)
          && bytes[bytes.count - words.utf8.count - 1] == UInt8(ascii: ".")
    }
  }

  private func isIn(_ list: String) -> Bool {
    list.split(separator: " ").contains { bytes.elementsEqual($0.utf8) }
  }

  /// Where countries register names.
  private static let registries =
    "co.uk org.uk ac.uk gov.uk me.uk com.au net.au org.au co.jp ne.jp or.jp ac.jp co.kr co.nz org.nz co.za "
    + "com.br net.br org.br com.cn net.cn org.cn com.tw com.hk com.sg com.mx com.ar com.tr co.in org.in co.il "
    + "co.at or.at com.pl com.ua eu.org"
  /// Where anybody can have a site of their own.
  private static let sharedServers =
    "cloudfront.net fastly.net fastlylb.net akamaized.net akamaiedge.net edgekey.net edgesuite.net azureedge.net "
    + "azurefd.net azurewebsites.net windows.net cloudapp.net amazonaws.com googleusercontent.com googleapis.com "
    + "appspot.com run.app web.app firebaseapp.com github.io githubusercontent.com gitlab.io pages.dev workers.dev "
    + "r2.dev b-cdn.net cdn77.org netlify.app vercel.app herokuapp.com fly.dev onrender.com digitaloceanspaces.com "
    + "ngrok.io ngrok.app trycloudflare.com"
}
