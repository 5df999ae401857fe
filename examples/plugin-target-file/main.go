// Command hookarr-target-file appends every event to a file, one JSON object a line.
// It is an example of a plugin with a module of its own. It is built by
//
//	go build -tags grpcnotrace -trimpath -ldflags "-s -w" -o hookarr-target-file .
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/hookarr/hookarr/sdk"
)

type config struct {
	Path string `json:"path" hookarr:"required" doc:"File to append to; it is made when it is missing. Absolute."`
}

// Validate refuses a path that would depend on where Hookarr was started.
func (c config) Validate() error {
	if !filepath.IsAbs(c.Path) {
		return sdk.Problem("path", "needs to be absolute")
	}
	return nil
}

func info() sdk.Info {
	return sdk.Info{
		Name:    "file",
		Version: "0.1.0",
		Summary: "Appends events to a file.",
		// One at a time keeps the file in order.
		Defaults: sdk.Defaults{Concurrency: 1},
	}
}

func main() { sdk.ServeTarget(info(), newTarget) }

func newTarget(_ context.Context, _ sdk.Env, c config) (sdk.Target, error) {
	return &target{path: c.Path}, nil
}

// target appends to one file.
type target struct {
	path string
	mu   sync.Mutex
}

// line is what one delivery appends. The id is the same when an attempt is repeated,
// so that a reader can drop what came twice.
type line struct {
	Delivery string            `json:"delivery"`
	Events   []json.RawMessage `json:"events"`
}

// Deliver appends a line and waits until it is on the disk.
func (t *target) Deliver(_ context.Context, d sdk.Delivery) (sdk.Receipt, error) {
	data, err := json.Marshal(line{Delivery: d.ID, Events: d.JSON})
	if err != nil {
		return sdk.Receipt{}, sdk.Permanent(fmt.Errorf("write the line: %w", err))
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	f, err := os.OpenFile(t.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		// Only a person can change where the file is or who may write it.
		return sdk.Receipt{}, sdk.Misconfigured(err)
	}
	_, err = f.Write(append(data, '\n'))
	// A full disk may have room later: any other error is worth another attempt.
	return sdk.Receipt{}, errors.Join(err, f.Sync(), f.Close())
}
