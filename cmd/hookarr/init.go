package main

import (
	"bytes"
	"crypto/rand"
	_ "embed"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"text/template"

	"github.com/spf13/cobra"
)

//go:embed hookarr.yaml.tmpl
var configTemplate string

// freshSecrets are what the template asks for.
type freshSecrets struct {
	// HMAC and Password are of letters and digits, with 128 bits of chance or more.
	HMAC, Password string
	// Webhook is a secret of Standard Webhooks.
	Webhook string
}

func (c *cli) newInit() *cobra.Command {
	return &cobra.Command{
		Use:   "init",
		Short: "Write a configuration with fresh secrets",
		Long: `Init writes a commented configuration for Radarr and one endpoint of yours, with
fresh random secrets that only you can read. It never writes over a file.`,
		Example: `  hookarr init
  hookarr init --config /etc/hookarr/hookarr.yaml`,
		RunE: func(*cobra.Command, []string) error {
			name := c.configFile
			if name == "" {
				name = "hookarr.yaml"
			}
			if err := writeConfig(name); err != nil {
				return err
			}
			_, err := fmt.Fprintf(c.out, `wrote %s

Next:
  1. look through it, above all sources and targets
  2. hookarr check    says what is wrong with it
  3. hookarr serve    takes webhooks
  4. hookarr connect radarr    has Radarr post its webhooks, once its base_url and
     api_key are under sources.radarr.config; or add a webhook in Radarr yourself,
     to http://127.0.0.1:8484/hooks/radarr with the username and password under
     sources.radarr.auth
`, name)
			return err
		},
	}
}

func writeConfig(name string) error {
	var secret [32]byte
	_, _ = rand.Read(secret[:]) // never fails
	var content bytes.Buffer
	err := template.Must(template.New("").Parse(configTemplate)).Execute(&content, freshSecrets{
		HMAC:     rand.Text() + rand.Text(),
		Password: rand.Text(),
		Webhook:  "whsec_" + base64.StdEncoding.EncodeToString(secret[:]),
	})
	if err != nil {
		return fmt.Errorf("write configuration: %w", err)
	}
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s exists and stays as it is: move it away, or name another with --config", name)
	}
	if err != nil {
		return fmt.Errorf("write configuration: %w", err)
	}
	_, err = f.Write(content.Bytes())
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write configuration: %w", err)
	}
	return nil
}
