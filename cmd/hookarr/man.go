//go:build man

// Command hookarr, built with the tag man, writes the manual pages and the completions of
// shells instead, which the program itself need not carry.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"github.com/hookarr/hookarr/internal/manpage"
)

func main() {
	if err := writeReference(os.Args[1:], os.Getenv("SOURCE_DATE_EPOCH")); err != nil {
		fmt.Fprintln(os.Stderr, "man:", err)
		os.Exit(1)
	}
}

// writeReference writes DIR/man and DIR/completions. The pages bear the date of epoch, in
// seconds. It works in the repository, which has the page that hookarr.yaml(5) is made of.
func writeReference(args []string, epoch string) error {
	if len(args) != 2 {
		return errors.New("usage: SOURCE_DATE_EPOCH=SECONDS go run -tags man ./cmd/hookarr DIR VERSION")
	}
	seconds, err := strconv.ParseInt(epoch, 10, 64)
	if err != nil {
		return fmt.Errorf("read SOURCE_DATE_EPOCH: %w", err)
	}
	dir, version := args[0], args[1]
	root := new(cli).newRoot()
	root.SetContext(context.Background())
	root.InitDefaultCompletionCmd()
	walk(root, func(cmd *cobra.Command) { cmd.DisableAutoGenTag = true })

	pages, files, completions := filepath.Join(dir, "man", "man1"), filepath.Join(dir, "man", "man5"), filepath.Join(dir, "completions")
	for _, made := range []string{pages, files, completions} {
		if err := os.MkdirAll(made, 0o755); err != nil { //nolint:gosec // for everybody to read
			return fmt.Errorf("make directory: %w", err)
		}
	}
	date := time.Unix(seconds, 0).UTC()
	header := &doc.GenManHeader{Section: "1", Date: &date, Source: "Hookarr " + version, Manual: "Hookarr"}
	if err := doc.GenManTree(root, header, pages); err != nil {
		return fmt.Errorf("write manual pages: %w", err)
	}
	configuration, err := os.ReadFile("docs/configuration.md")
	if err != nil {
		return fmt.Errorf("write manual page of the configuration: %w", err)
	}
	page := manpage.Configuration(string(configuration), version, date)
	if err := os.WriteFile(filepath.Join(files, "hookarr.yaml.5"), page, 0o644); err != nil { //nolint:gosec // for everybody to read
		return fmt.Errorf("write manual page of the configuration: %w", err)
	}
	return errors.Join(
		root.GenBashCompletionFileV2(filepath.Join(completions, "hookarr.bash"), true),
		root.GenZshCompletionFile(filepath.Join(completions, "_hookarr")),
		root.GenFishCompletionFile(filepath.Join(completions, "hookarr.fish"), true),
	)
}

func walk(cmd *cobra.Command, f func(*cobra.Command)) {
	f(cmd)
	for _, below := range cmd.Commands() {
		walk(below, f)
	}
}
