package sdk

import (
	"fmt"
	"log/slog"
	"os"
	"strings"

	"github.com/hookarr/hookarr/sdk/internal/process"
)

// ServeTarget serves a target plugin. It is all that main does, and it does not
// return: the process ends when its host ends it or is gone. Run by hand, it says
// what the program is and exits with status 1.
func ServeTarget[C any](info Info, ctor NewTarget[C]) {
	serve(NewTargetPlugin(info, ctor))
}

// ServeSource serves a source plugin, like ServeTarget.
func ServeSource[C any](info Info, ctor NewSource[C]) {
	serve(NewSourcePlugin(info, ctor))
}

func serve(p *Plugin, err error) {
	log := process.HostLog()
	if err != nil && !process.Launched() {
		_, _ = fmt.Fprintf(os.Stderr, "the plugin is not built right:\n%s\n", err)
		os.Exit(1)
	}
	if err != nil {
		log.Logger().Error("the plugin is not built right", "error", strings.ReplaceAll(err.Error(), "\n", "; "))
		os.Exit(1)
	}
	if !process.Launched() {
		process.Explain(os.Stderr, p.id.kindName(), p.id.Name, p.id.Version)
		os.Exit(1)
	}
	// Libraries log here, and know of no instance.
	slog.SetDefault(process.Log{Output: redactingWriter{log.Output, p.secrets}, Level: log.Level}.Logger().With("plugin", p.id.Name))
	if err := process.Serve(p.services(log), log); err != nil {
		log.Logger().Error("the plugin cannot serve", "error", err)
		os.Exit(1)
	}
	os.Exit(0)
}
