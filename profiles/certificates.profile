# SPDX-License-Identifier: Apache-2.0
# Trusts the certificates that you trust and knows your proxies: like untrusted, without a network.
# For rules about the network: nestbox --profile certificates --net-allow example.org COMMAND. The
# profiles network and host-network have it.
--profile untrusted

# The address of a proxy may hold a password. A file that a variable names is shown.
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
