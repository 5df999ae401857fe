// Package handshake holds what both ends of the plugin protocol must agree on
// before the first call.
package handshake

const (
	// ProtocolVersion is the version of the wire contract: hookarr.plugin.v1.
	ProtocolVersion = 1
	// CookieKey is the environment variable by which a plugin knows that a host
	// launched it.
	CookieKey = "HOOKARR_PLUGIN"
	// CookieValue is its value. It keeps people from running plugins by hand and is
	// no secret.
	CookieValue = "6b1f0c9a-hookarr-plugin-4d27e5"
	// ClientCertEnv is the environment variable with the host's certificate in PEM. It and
	// SocketDirEnv are those of github.com/hashicorp/go-plugin, which hosts launch with.
	ClientCertEnv = "PLUGIN_CLIENT_CERT"
	// SocketDirEnv is the environment variable with the directory in which to listen.
	SocketDirEnv = "PLUGIN_UNIX_SOCKET_DIR"
	// LogLevelEnv is the environment variable that carries the host's log level:
	// debug, info, warn or error. Empty is info.
	LogLevelEnv = "HOOKARR_LOG_LEVEL"
	// ServerName is the name in a plugin's certificate that hosts ask for.
	ServerName = "localhost"
	// MaxMessageBytes bounds one gRPC message in either direction. A request of
	// 16 MiB with its event and a group's other events must fit; gRPC's default of
	// 4 MiB would refuse them.
	MaxMessageBytes = 64 << 20
	// StreamWindow is how many bytes either end may send in one call ahead of its
	// reader. Without a fixed size gRPC measures the connection to find one, which on a
	// Unix socket is nothing but a ping beside the messages.
	StreamWindow = 1 << 20
	// ConnWindow is the same for all calls together.
	ConnWindow = 16 << 20
	// TraceparentKey is the metadata of a call that names the host's span which the call is
	// part of. Either end may not know of it.
	TraceparentKey = "traceparent"
	// StuckCall is the message of the record at error by which a plugin tells its host of
	// a call that goes on long after its deadline. The host, whose own end of the call is
	// over, counts these.
	StuckCall = "call is stuck: it goes on after its deadline"
)
