// Package process is what surrounds a plugin's services: the handshake, the gRPC
// server, signals, the log and the end together with the host.
//
// A host launches plugins with github.com/hashicorp/go-plugin. This is the plugin's end
// of that protocol without its library, whose other transport, streams and brokers no
// Hookarr uses, and which would be a third of a plugin's memory.
package process

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"syscall"
	"time"

	"google.golang.org/grpc"

	"github.com/hookarr/hookarr/sdk/internal/handshake"
)

// closeTimeout bounds how long a stopping process waits for its instances. A host
// kills it after 2 s (go-plugin's Client.Kill).
const closeTimeout = 1500 * time.Millisecond

// parentPoll is how often the process looks whether its parent is still there. It
// backs up the pipe on standard input.
const parentPoll = time.Second

// Services is a plugin as its process sees it.
type Services interface {
	// Register adds the services to the server.
	Register(s *grpc.Server)
	// Close closes every instance, and returns when that is done or ctx ends.
	Close(ctx context.Context)
}

// Launched reports whether a host started this process.
func Launched() bool { return os.Getenv(handshake.CookieKey) == handshake.CookieValue }

// Serve serves until the host stops the process or is gone. Nothing but the
// handshake is written to standard output.
func Serve(services Services, log Log) error {
	parent := os.Getppid()
	credentials, certificate, err := mutualTLS([]byte(os.Getenv(handshake.ClientCertEnv)))
	if err != nil {
		return err
	}
	l, err := listen(context.Background(), os.Getenv(handshake.SocketDirEnv))
	if err != nil {
		return err
	}
	defer func() { _ = l.Close() }()
	g := &gate{log: log.Logger()}
	server := newServer(services, g, grpc.Creds(credentials))
	endOnSignal(g, services)
	go endWithParent(parent)
	// The file is kept until the end: its finalizer would give the descriptor of
	// standard output to the next file.
	stdout := os.Stdout
	defer runtime.KeepAlive(stdout)
	os.Stdout = discarding()
	if err := greet(stdout, l.Addr(), certificate); err != nil {
		return err
	}
	// What it took to start is given back: most plugins wait most of the time.
	go debug.FreeOSMemory()
	if err := server.Serve(l); err != nil {
		return fmt.Errorf("serve %s: %w", l.Addr(), err)
	}
	closeAll(context.Background(), services)
	return nil
}

// ServeTest serves inside a test's own process, without encryption, until ctx ends, then
// closes done. The address is one that grpc.NewClient takes.
func ServeTest(ctx context.Context, services Services, log Log) (address string, done <-chan struct{}, err error) {
	l, err := listen(ctx, "")
	if err != nil {
		return "", nil, err
	}
	server := newServer(services, &gate{log: log.Logger()})
	context.AfterFunc(ctx, server.Stop)
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		if err := server.Serve(l); err != nil {
			log.Logger().ErrorContext(ctx, "plugin is no longer served", "error", err)
		}
		closeAll(context.WithoutCancel(ctx), services)
	}()
	return "unix:" + l.Addr().String(), closed, nil
}

func closeAll(ctx context.Context, services Services) {
	ctx, cancel := context.WithTimeout(ctx, closeTimeout)
	defer cancel()
	services.Close(ctx)
}

// greet writes the line by which the host finds this process. There is one version of the
// protocol to offer: a host that speaks others alone says so, by this line.
func greet(w io.Writer, address net.Addr, certificate []byte) error {
	const coreVersion = 1 // of go-plugin's own protocol
	_, err := fmt.Fprintf(w, "%d|%d|%s|%s|grpc|%s\n", coreVersion, handshake.ProtocolVersion,
		address.Network(), address, base64.RawStdEncoding.EncodeToString(certificate))
	if err != nil {
		return fmt.Errorf("write the handshake: %w", err)
	}
	return nil
}

// discarding returns what takes the place of standard output, which is the handshake's.
func discarding() *os.File {
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		return os.Stderr // in a sandbox without devices
	}
	return null
}

// endOnSignal ends the process on SIGTERM, after the calls under way. A service manager
// that stops host and plugins together sends it while the host still waits for answers;
// a terminal sends SIGINT, which therefore does nothing.
func endOnSignal(g *gate, services Services) {
	// Received and not ignored: processes that the plugin starts would inherit that.
	signal.Notify(make(chan os.Signal, 1), os.Interrupt)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM)
	go func() {
		<-signals
		go func() {
			<-signals
			os.Exit(1)
		}()
		g.drain()
		closeAll(context.Background(), services)
		os.Exit(0)
	}()
}

// endWithParent ends the process when the host does. The host holds the other end of
// a pipe on standard input; when something else is there, only the change of parent
// tells: parent is whose child this process was before it greeted anybody.
func endWithParent(parent int) {
	if info, err := os.Stdin.Stat(); err == nil && info.Mode()&(os.ModeNamedPipe|os.ModeSocket) != 0 {
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			os.Exit(0)
		}()
	}
	for os.Getppid() == parent {
		time.Sleep(parentPoll)
	}
	os.Exit(0)
}

// Explain tells a person who started a plugin by hand what it is.
func Explain(w io.Writer, kind, name, version string) {
	_, _ = fmt.Fprintf(w, `hookarr-%[1]s-%[2]s %[3]s is a %[1]s plugin of Hookarr, which starts it by itself.

Put the file into Hookarr's plugin directory, where `+"`hookarr plugins list`"+` shows it, and
use it in the configuration as `+"`plugin: %[2]s`"+`.
`, kind, name, version)
}
