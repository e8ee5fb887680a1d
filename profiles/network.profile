# SPDX-License-Identifier: Apache-2.0
# Shows the host's network to a program: like untrusted, with connections to anywhere.
--profile untrusted

--share-net
# X11 and D-Bus listen on sockets that belong to the network. Without Linux 6.12 there are
# no Unix sockets inside at all.
--landlock-scope abstract-unix

# The name servers. The file may be a link; its target is shown in its place.
--ro-bind-try /etc/resolv.conf /etc/resolv.conf
--ro-same-try /etc/gai.conf
--ro-same-try /etc/networks
--ro-same-try /etc/ethers

# Proxies and trusted certificates; a file that a variable names is shown.
# The address of a proxy may hold a password.
--keep-env http_proxy,https_proxy,ftp_proxy,all_proxy,no_proxy
--keep-env HTTP_PROXY,HTTPS_PROXY,FTP_PROXY,ALL_PROXY,NO_PROXY
--keep-env SSL_CERT_FILE,SSL_CERT_DIR,CURL_CA_BUNDLE,REQUESTS_CA_BUNDLE,NODE_EXTRA_CA_CERTS
--keep-env GIT_SSL_CAINFO,PIP_CERT,CARGO_HTTP_CAINFO,AWS_CA_BUNDLE,DENO_CERT,NIX_SSL_CERT_FILE
--ro-bind-try ${SSL_CERT_FILE:-} ${SSL_CERT_FILE:-}
--ro-bind-try ${SSL_CERT_DIR:-} ${SSL_CERT_DIR:-}
--ro-bind-try ${CURL_CA_BUNDLE:-} ${CURL_CA_BUNDLE:-}
--ro-bind-try ${REQUESTS_CA_BUNDLE:-} ${REQUESTS_CA_BUNDLE:-}
--ro-bind-try ${NODE_EXTRA_CA_CERTS:-} ${NODE_EXTRA_CA_CERTS:-}
--ro-bind-try ${GIT_SSL_CAINFO:-} ${GIT_SSL_CAINFO:-}
--ro-bind-try ${PIP_CERT:-} ${PIP_CERT:-}
--ro-bind-try ${CARGO_HTTP_CAINFO:-} ${CARGO_HTTP_CAINFO:-}
--ro-bind-try ${AWS_CA_BUNDLE:-} ${AWS_CA_BUNDLE:-}
--ro-bind-try ${DENO_CERT:-} ${DENO_CERT:-}
--ro-bind-try ${NIX_SSL_CERT_FILE:-} ${NIX_SSL_CERT_FILE:-}
