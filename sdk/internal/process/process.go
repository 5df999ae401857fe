// Package process is what surrounds a plugin's services: the handshake, the gRPC
// server, signals, the log and the end together with the host.
package process

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"github.com/hookarr/hookarr/sdk/internal/handshake"
)

// closeTimeout bounds how long a stopping process waits for its instances. A host
// kills it after 2 s (go-plugin's Client.Kill).
const closeTimeout = 1500 * time.Millisecond

// parentPoll is how often the process looks whether its parent is still there. It
// backs up the pipe on standard input.
const parentPoll = time.Second

// callWorkers is how many goroutines are kept for calls; more calls at once get new
// ones. A new one begins with a stack that is too small for gRPC and JSON, and to grow it
// was an eighth of a plugin's time, by its profile.
const callWorkers = 32

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
func Serve(services Services, log Log) {
	g := &gate{log: log.Logger()}
	stop := func() {
		ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
		defer cancel()
		services.Close(ctx)
	}
	go watchParent(os.Getppid())
	go func() {
		// A service manager that stops host and plugins together sends this while the
		// host still waits for answers. go-plugin ignores SIGINT for the same reason.
		signals := make(chan os.Signal, 2)
		signal.Notify(signals, syscall.SIGTERM)
		<-signals
		go func() {
			<-signals
			os.Exit(1)
		}()
		g.drain()
		stop()
		os.Exit(0)
	}()
	plugin.Serve(serveConfig(services, g, log))
	stop()
}

// ServeTest serves inside a test's own process until ctx ends, then closes done.
func ServeTest(ctx context.Context, services Services, log Log) (attach *plugin.ReattachConfig, done <-chan struct{}) {
	attached := make(chan *plugin.ReattachConfig, 1)
	served, closed := make(chan struct{}), make(chan struct{})
	config := serveConfig(services, &gate{log: log.Logger()}, log)
	config.Test = &plugin.ServeTestConfig{Context: ctx, ReattachConfigCh: attached, CloseCh: served}
	go plugin.Serve(config)
	go func() {
		defer close(closed)
		<-served
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
		defer cancel()
		services.Close(ctx)
	}()
	select {
	case attach = <-attached:
	case <-served:
	}
	return attach, closed
}

func serveConfig(services Services, g *gate, log Log) *plugin.ServeConfig {
	return &plugin.ServeConfig{
		HandshakeConfig:  handshake.Config(),
		VersionedPlugins: handshake.Plugins(services.Register),
		GRPCServer: func(options []grpc.ServerOption) *grpc.Server {
			return grpc.NewServer(append(options,
				grpc.MaxRecvMsgSize(handshake.MaxMessageBytes),
				grpc.NumStreamWorkers(callWorkers),
				grpc.InitialWindowSize(handshake.StreamWindow),
				grpc.InitialConnWindowSize(handshake.ConnWindow),
				grpc.ChainUnaryInterceptor(g.intercept))...)
		},
		Logger: hclog.New(&hclog.LoggerOptions{
			Level:      hclog.LevelFromString(levelName(log.Level)),
			Output:     log.Output,
			JSONFormat: true,
		}),
	}
}

// watchParent ends the process when the host does. The host holds the other end of
// a pipe on standard input; when something else is there, only the change of parent
// tells: parent is whose child this process was before it greeted anybody.
func watchParent(parent int) {
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
