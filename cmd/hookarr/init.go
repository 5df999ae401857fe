package main

import (
	"bytes"
	"context"
	"crypto/rand"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/template"

	"github.com/spf13/cobra"

	"github.com/hookarr/hookarr/core/config"
)

//go:embed hookarr.yaml.tmpl
var configTemplate string

func (c *cli) newInit() *cobra.Command {
	var w wanted
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Write a configuration with fresh secrets",
		Long: `Init writes a commented configuration with fresh random secrets that only you can
read. It asks for the channels and applications on a terminal, unless flags name some;
without either, it writes an example to fill in. It never writes over a file.

An application is NAME, or NAME=URL,KEY with its address and API key, by which Hookarr
sets its webhook up and reads back what was missed. NAME is radarr, sonarr, lidarr,
whisparr, readarr or prowlarr, or begins with one and a dash: radarr-4k.

--external-url is where the applications reach this server: in one network of containers
by the name of its container, such as http://hookarr:8484. In the container image the
port is for webhooks and pages, on every address.`,
		Example: `  hookarr init
  hookarr init --discord https://discord.com/api/webhooks/ID/TOKEN
  hookarr init --slack https://hooks.slack.com/services/T000/B000/XXXX --app sonarr --app radarr=http://nas:7878,KEY
  hookarr init --telegram 123456789:TOKEN --telegram-chat -1001234567890 --ntfy https://ntfy.sh/TOPIC
  hookarr init --app radarr=http://radarr:7878,KEY --external-url http://hookarr:8484
  hookarr init --webhook http://127.0.0.1:9900/hook --config /etc/hookarr/hookarr.yaml`,
		RunE: func(cmd *cobra.Command, _ []string) error { return c.init(cmd.Context(), w) },
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&w.discord, "discord", nil, "deliver to the Discord channel with this webhook `URL`")
	flags.StringArrayVar(&w.slack, "slack", nil, "deliver to the Slack channel with this webhook `URL`")
	flags.StringVar(&w.telegram, "telegram", "", "deliver by the Telegram bot with this `TOKEN` to --telegram-chat")
	flags.StringVar(&w.telegramChat, "telegram-chat", "", "the chat's number or @name: `ID`")
	flags.StringArrayVar(&w.ntfy, "ntfy", nil, "deliver to the ntfy topic at this `URL`")
	flags.StringArrayVar(&w.webhook, "webhook", nil, "deliver to the endpoint at this `URL`, signed")
	flags.StringArrayVar(&w.apps, "app", nil, "take the webhooks of `NAME[=URL,KEY]`")
	flags.StringVar(&w.externalURL, "external-url", "", "the `URL` where the applications reach this server")
	return cmd
}

func (c *cli) init(ctx context.Context, w wanted) error {
	name := c.configFile
	if name == "" {
		name = "hookarr.yaml"
	}
	if _, err := os.Lstat(name); err == nil {
		return errThere(name) // before anything is asked
	}
	if w.none() && c.terminal {
		if err := c.interview(ctx, &w); err != nil {
			return err
		}
	}
	f, err := c.write(name, w)
	if err != nil {
		return err
	}
	flags := ""
	if c.configFile != "" && c.configFile != systemFile {
		flags = " --config " + name
	}
	_, err = fmt.Fprintf(c.out, "wrote %s\n\n%s", name, f.next(flags))
	return err
}

// write writes a configuration of what is wanted.
func (c *cli) write(name string, w wanted) (filled, error) {
	f, err := w.fill()
	if err != nil {
		return filled{}, err
	}
	dir := filepath.Dir(name)
	f.Plugins = []string{findPlugins(dir)}
	if c.inImage() {
		f.inImage()
		if err := os.MkdirAll(filepath.Join(dir, ownPlugins), 0o755); err != nil { //nolint:gosec // programs for everybody
			return filled{}, fmt.Errorf("make directory of your own plugins: %w", err)
		}
	}
	if err := writeConfig(name, f); err != nil {
		return filled{}, err
	}
	// Whatever a flag may say, what is written can be served.
	loader := config.Loader{Environ: func() []string { return nil }}
	if _, err := loader.Load(name); err != nil {
		return filled{}, errors.Join(err, os.Remove(name))
	}
	return f, nil
}

// initOnce writes a configuration where there is none, and reports whether it did.
func (c *cli) initOnce() (bool, error) {
	name := c.file()
	if _, err := os.Lstat(name); !errors.Is(err, fs.ErrNotExist) {
		return false, nil // what is wrong with it, whoever reads it says
	}
	_, err := c.write(name, wanted{})
	return err == nil, err
}

// logFirst tells who has never seen this server what to do with it. The secrets are in the
// file alone.
func (c *cli) logFirst(ctx context.Context, log *slog.Logger, cfg *config.Config) {
	run := "hookarr"
	if c.inImage() {
		run = "docker exec CONTAINER hookarr"
	}
	file := cfg.File
	if path, err := filepath.Abs(file); err == nil {
		file = path
	}
	log.InfoContext(ctx, "first start: a configuration is written", slog.String("file", file),
		slog.String("next", "put your applications and targets into it: it is taken into use when you save it"))
	log.InfoContext(ctx, "first start: to sign in", slog.String("run", run+" open"),
		slog.String("pages", cfg.Admin.Listen), slog.String("or", "use the token under admin.tokens in the file"))
}

func errThere(name string) error {
	return fmt.Errorf("%s exists and stays as it is: move it away, or name another with --config", name)
}

// ownPlugins is the directory of a user's own plugins in the volume of the image.
const ownPlugins = "plugins"

// findPlugins returns the directory of the plugins as a configuration in dir names it: the
// one beside this program, or that of an installation, or else where the build leaves them.
func findPlugins(dir string) string {
	const built = "./bin/plugins"
	program, err := os.Executable()
	if err == nil {
		program, err = filepath.EvalSymlinks(program)
	}
	if err != nil {
		return built
	}
	beside := filepath.Dir(program)
	places := []string{filepath.Join(beside, "plugins"), filepath.Join(beside, "../lib/hookarr/plugins")}
	i := slices.IndexFunc(places, func(dir string) bool {
		info, err := os.Stat(dir)
		return err == nil && info.IsDir()
	})
	if i < 0 {
		return built
	}
	found := places[i]
	if dir, err = filepath.Abs(dir); err != nil {
		return found
	}
	if near, err := filepath.Rel(dir, found); err == nil && filepath.IsLocal(near) {
		return "./" + near
	}
	return found
}

// writeConfig writes a file that is for this user alone, and makes its directory.
func writeConfig(name string, f filled) error {
	var content bytes.Buffer
	t := template.Must(template.New("").Funcs(template.FuncMap{"quote": quote}).Parse(configTemplate))
	if err := t.Execute(&content, f); err != nil {
		return fmt.Errorf("write configuration: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return fmt.Errorf("make directory of configuration: %w", err)
	}
	file, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return errThere(name)
	}
	if err != nil {
		return fmt.Errorf("write configuration: %w", err)
	}
	_, err = file.Write(content.Bytes())
	if err = errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("write configuration: %w", err)
	}
	return nil
}

// quote writes a text as YAML that means the text itself.
func quote(text string) (string, error) {
	var b strings.Builder
	e := json.NewEncoder(&b) // whose strings are YAML's too
	e.SetEscapeHTML(false)
	err := e.Encode(strings.ReplaceAll(text, "${", "$${"))
	return strings.TrimSpace(b.String()), err
}

// freshSecret is of letters and digits, with 128 bits of chance or more.
func freshSecret() string { return rand.Text() }

// freshWebhookSecret is one of Standard Webhooks.
func freshWebhookSecret() string {
	var secret [32]byte
	_, _ = rand.Read(secret[:]) // never fails
	return "whsec_" + base64.StdEncoding.EncodeToString(secret[:])
}
