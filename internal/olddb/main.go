// Command olddb writes the database that a former Hookarr left when it was killed, as SQL:
// what the tests of upgrades begin with. It builds the commit, posts webhooks to it while
// endpoints are in every kind of trouble, and kills it.
//
//	go run ./internal/olddb -commit COMMIT -database sqlite > internal/e2e/testdata/upgrade/sqlite-0004.sql
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"time"

	"github.com/hookarr/hookarr/internal/testpg"
)

func main() {
	commit := flag.String("commit", "HEAD", "build this commit")
	database := flag.String("database", "sqlite", "sqlite or postgres")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, *commit, *database, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "olddb:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, commit, database string, out io.Writer) error {
	dir, err := os.MkdirTemp("", "olddb-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := build(ctx, commit, dir); err != nil {
		return err
	}
	url := "sqlite://" + filepath.Join(dir, "hookarr.db")
	dump := func() error { return dumpSQLite(ctx, filepath.Join(dir, "hookarr.db"), out) }
	if database == "postgres" {
		server, err := testpg.Start(false) //nolint:contextcheck // it bounds its start itself
		if err != nil {
			return err
		}
		defer func() { _ = server.Stop() }()
		url = server.URL()
		dump = func() error { return dumpPostgres(ctx, url, out) }
	}
	if err := live(ctx, dir, url); err != nil {
		return err
	}
	return dump()
}

// build makes the program and the plugins of a commit, in dir/hookarr and dir/plugins.
func build(ctx context.Context, commit, dir string) error {
	tree := filepath.Join(dir, "tree")
	if err := command(ctx, "", "git", "worktree", "add", "--detach", tree, commit); err != nil {
		return err
	}
	defer func() { _ = command(context.WithoutCancel(ctx), "", "git", "worktree", "remove", "--force", tree) }()
	plugins := filepath.Join(dir, "plugins")
	if err := os.Mkdir(plugins, 0o755); err != nil {
		return err
	}
	targets := map[string]string{"./cmd/hookarr": "hookarr", "./core/pluginhost/internal/chaos": "plugins/hookarr-target-chaos"}
	names := []string{"source-radarr", "target-webhook"}
	shared := "plugins/hookarr-plugins"
	if files, _ := filepath.Glob(filepath.Join(tree, "plugins", "*.go")); len(files) > 0 {
		targets["./plugins"] = shared
		for _, name := range names {
			if err := os.Symlink(filepath.Base(shared), filepath.Join(plugins, "hookarr-"+name)); err != nil {
				return err
			}
		}
	} else { // until version 11, each plugin was a program of its own
		for _, name := range names {
			targets["./plugins/"+name] = "plugins/hookarr-" + name
		}
	}
	for pkg, file := range targets {
		if err := command(ctx, tree, "go", "build", "-trimpath", "-o", filepath.Join(dir, file), pkg); err != nil {
			return err
		}
		if err := os.Chmod(filepath.Join(dir, file), 0o755); err != nil {
			return err
		}
	}
	return nil
}

func command(ctx context.Context, dir, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, os.Stderr, os.Stderr
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s %s: %w", name, strings.Join(args, " "), err)
	}
	return nil
}

// settle is how long a server has for what was posted to it.
const settle = 8 * time.Second
