package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"github.com/hookarr/hookarr/core/plugincheck"
)

// orphanFlag makes the command a host for plugincheck to kill.
const orphanFlag = "orphan"

// loadedFlag has the check be patient.
const loadedFlag = "loaded"

func (c *cli) newPluginsCheck() *cobra.Command {
	var config string
	var payloads []string
	var orphan, loaded bool
	cmd := c.tables(&cobra.Command{
		Use:   "check BINARY [BINARY...]",
		Short: "Hold a plugin's binary to what Hookarr relies on",
		Long: `Check starts the binary of a plugin, in whatever language it is written, as the server
does, calls it, ends it, and shows a row for each thing that it looked at. It needs no
configuration file and no server. Targets deliver to an endpoint of the check's own on this
computer. What they send over HTTP to an address of their own comes to it as to a proxy,
unless a configuration is given.

The configuration of the plugin is made from its schema. Where that does not say enough,
--config gives one, in YAML or JSON, in which ${URL}, ${HOST} and ${PORT} stand for the
check's endpoint and ${DIR} for a directory of its own. A directory may be given that has
KIND-NAME.yaml for each plugin.

A row is ok, FAILED with what mends it, or skipped with why. Any failure makes the exit
code 1.`,
		Example: `  hookarr plugins check ./hookarr-target-demo
  hookarr plugins check --config demo.yaml ./hookarr-target-demo
  hookarr plugins check --payload import.json ./hookarr-source-demo
  hookarr plugins check --json bin/plugins/*`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if orphan {
				return plugincheck.ServeOrphan(cmd.Context(), args[0], c.out)
			}
			if loaded {
				c.checkWindows = plugincheck.Patient()
			}
			return c.checkBinaries(cmd.Context(), c.passShared(args), config, payloads)
		},
	})
	cmd.Flags().StringVar(&config, "config", "", "configuration of the plugin: a `FILE`, or a directory of KIND-NAME.yaml")
	cmd.Flags().StringArrayVar(&payloads, "payload", nil, "body of a request that the source has to decode, a `FILE`; may be repeated")
	cmd.Flags().BoolVar(&loaded, loadedFlag, false, "wait a minute for what takes seconds: for a machine that has much to do")
	_ = cmd.Flags().MarkHidden(loadedFlag) // it is there
	cmd.Flags().BoolVar(&orphan, orphanFlag, false, "be the host of one plugin that this command kills")
	_ = cmd.Flags().MarkHidden(orphanFlag) // it is there
	cmd.ValidArgsFunction = files
	completeFlag(cmd, "config", files)
	completeFlag(cmd, "payload", files)
	return cmd
}

func (c *cli) checkBinaries(ctx context.Context, binaries []string, config string, payloads []string) error {
	if len(payloads) > 0 && !slices.ContainsFunc(binaries, func(b string) bool { return !strings.HasPrefix(filepath.Base(b), "hookarr-target-") }) {
		return usagef("--payload is of sources, which decode it, and %s is a target: leave it out", filepath.Base(binaries[0]))
	}
	opts := plugincheck.Options{Windows: c.checkWindows}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	opts.Orphan = []string{self, "plugins", "check", "--" + orphanFlag}
	for _, file := range payloads {
		body, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("read payload: %w", err)
		}
		opts.Payloads = append(opts.Payloads, body)
	}
	reports := make([]plugincheck.Report, 0, len(binaries))
	ok := true
	for i, binary := range binaries {
		if opts.Config, err = readPluginConfig(config, binary); err != nil {
			return err
		}
		opts.Progress = func(row string) { c.rewrite(clean(filepath.Base(binary), titleWidth) + ": " + row) }
		report, err := plugincheck.Run(ctx, binary, opts)
		c.clearLine()
		if err != nil {
			return err
		}
		reports = append(reports, report)
		ok = ok && report.OK
		if c.json {
			continue
		}
		if i > 0 {
			err = c.say("")
		}
		if err = errors.Join(err, c.showChecked(report)); err != nil {
			return err
		}
	}
	if c.json {
		if err := c.printJSON(reports); err != nil {
			return err
		}
	}
	if !ok {
		return errReported
	}
	return nil
}

// readPluginConfig reads the configuration for a binary, and none where none is given.
func readPluginConfig(path, binary string) (json.RawMessage, error) {
	if path == "" {
		return nil, nil
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = filepath.Join(path, strings.TrimPrefix(filepath.Base(binary), "hookarr-")+".yaml")
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the plugin's configuration: %w", err)
	}
	var value map[string]any
	if err := yaml.Unmarshal(data, &value); err != nil {
		return nil, fmt.Errorf("read the plugin's configuration %s: %w", path, err)
	}
	if value == nil { // an empty file, as a plugin without required keys needs
		value = map[string]any{}
	}
	config, err := json.Marshal(value)
	if err != nil {
		return nil, fmt.Errorf("read the plugin's configuration %s: %w", path, err)
	}
	return config, nil
}

// showChecked prints what was found of one binary.
func (c *cli) showChecked(r plugincheck.Report) error {
	title := filepath.Base(r.Path)
	if r.Version != "" {
		title += " " + r.Version
	}
	if r.SDK != "" {
		title += ", SDK " + r.SDK
	}
	if err := c.say("%s", clean(title, whole)); err != nil {
		return err
	}
	if r.SHA256 != "" {
		if err := c.say("sha256 %s", r.SHA256); err != nil {
			return err
		}
	}
	rows := [][]string{{"CHECK", "RESULT", "DETAIL"}}
	count := map[plugincheck.Result]int{}
	for _, row := range r.Rows {
		count[row.Result]++
		detail := append([]string{row.Detail}, row.Warnings...)
		rows = append(rows, []string{row.Check, string(row.Result), clean(strings.Join(detail, "; warning: "), whole)})
	}
	if err := c.reasoned(rows); err != nil {
		return err
	}
	return c.say("%d ok, %d failed, %d skipped", count[plugincheck.OK], count[plugincheck.Failed], count[plugincheck.Skipped])
}
