package config

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"net/url"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/hookarr/hookarr/sdk"
)

const (
	// fileSuffix makes the name of a secret's twin.
	fileSuffix = "_file"
	// maxSecretFile is in bytes.
	maxSecretFile = 64 << 10
	// worldReadable is the permission bit.
	worldReadable fs.FileMode = 0o004
)

// reference is ${…}, with the $ that makes it literal.
var reference = regexp.MustCompile(`\$?\$\{[^}]*\}?`)

const (
	// credentialsVariable is set by systemd for a unit with credentials, and
	// credentialsOfUnit is where ours has them while it runs.
	credentialsVariable = "CREDENTIALS_DIRECTORY"
	credentialsOfUnit   = "/run/credentials/hookarr.service"
)

var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// expand puts environment variables in the place of ${NAME}. What came from the
// environment or a flag stands for itself.
func (d *decoder) expand(key, text string) string {
	if d.origin.layerOf(key) != fromFile {
		return text
	}
	return reference.ReplaceAllStringFunc(text, func(found string) string {
		if strings.HasPrefix(found, "$$") {
			return found[1:]
		}
		name, closed := strings.CutSuffix(strings.TrimPrefix(found, "${"), "}")
		if !closed || !variableName.MatchString(name) {
			d.problem(key, "want ${NAME} with the name of an environment variable; write $${ for a ${ that is meant literally")
			return ""
		}
		d.hidden[key] = true
		d.used[name] = true
		value, ok := d.environ[name]
		switch {
		case ok:
		case name == credentialsVariable:
			d.problem(key, "environment variable %s is not set: systemd sets it in a unit that has LoadCredential=NAME:FILE; for a command by hand, use sudo %s=%s hookarr",
				name, name, credentialsOfUnit)
		default:
			d.problem(key, "environment variable %s is not set where hookarr runs: start it with the variable, write the value itself, or write $${%s} if you mean this text", name, name)
		}
		return value
	})
}

// twin sets the secret of a key from the file that its twin names.
func (d *decoder) twin(key string, raw any, secretKey string, to reflect.Value) {
	if raw == nil {
		return
	}
	if d.given[secretKey] && !d.overrules(key, secretKey) {
		return
	}
	d.given[secretKey] = true
	switch value := d.files(key, raw).(type) {
	case string:
		if to.Kind() == reflect.Slice {
			to.Set(reflect.ValueOf([]sdk.Secret{sdk.Secret(value)}))
			return
		}
		to.SetString(value)
	case []any:
		if to.Kind() != reflect.Slice {
			d.problem(key, "want the name of one file")
			return
		}
		secrets := make([]sdk.Secret, 0, len(value))
		for _, v := range value {
			text, _ := v.(string)
			secrets = append(secrets, sdk.Secret(text))
		}
		to.Set(reflect.ValueOf(secrets))
	}
}

// overrules reports whether the twin comes from a later layer than the secret itself.
// Both from one layer are a problem.
func (d *decoder) overrules(twin, secret string) bool {
	own, other := d.origin.layerOf(twin), d.origin.layerOf(secret)
	if own == other {
		d.problem(twin, "give %s or %s, not both", lastWord(secret), lastWord(twin))
	}
	return own > other
}

// files reads the file that raw names, or each of a list of files.
func (d *decoder) files(key string, raw any) any {
	switch raw := raw.(type) {
	case string:
		before := len(d.problems)
		name := d.path(key, d.expand(key, raw))
		if len(d.problems) > before {
			return "" // no part of a name is worth a look
		}
		d.read = append(d.read, name)
		secret, err := readSecret(name)
		switch {
		case errors.Is(err, fs.ErrNotExist) && filepath.Dir(name) == d.environ[credentialsVariable]:
			d.problem(key, "%s: the unit needs LoadCredential=%s:FILE", err, filepath.Base(name))
		case err != nil:
			d.problem(key, "%s", err)
		}
		if secret.exposed {
			d.warn(key, "%s", exposed(name))
		}
		return secret.text
	case []any:
		secrets := make([]any, 0, len(raw))
		for i, item := range raw {
			name, ok := item.(string)
			if !ok {
				d.problem(fmt.Sprintf("%s[%d]", key, i), "want the name of a file")
				continue
			}
			secrets = append(secrets, d.files(fmt.Sprintf("%s[%d]", key, i), name))
		}
		return secrets
	default:
		d.problem(key, "want the name of a file, or a list of them")
		return nil
	}
}

type secretFile struct {
	text    string
	exposed bool
}

// readSecret reads a file less one trailing line break.
func readSecret(name string) (secretFile, error) {
	raw, info, err := ReadFile(name, maxSecretFile)
	if errors.Is(err, errTooLarge) {
		return secretFile{}, fmt.Errorf("the file is larger than %d KiB: name one that holds nothing but the secret", maxSecretFile>>10)
	}
	if err != nil {
		return secretFile{}, explainFile(err)
	}
	text := strings.TrimSuffix(strings.TrimSuffix(string(raw), "\n"), "\r")
	if text == "" {
		return secretFile{}, errors.New("the file is empty: put the secret into it")
	}
	return secretFile{text: text, exposed: info.Mode().Perm()&worldReadable != 0}, nil
}

// settings decodes the configuration of a plugin, which is known to the plugin alone.
func (d *decoder) settings(key string, raw any, to reflect.Value) {
	values, ok := raw.(map[string]any)
	if !ok {
		d.problem(key, "want the plugin's keys and values")
		return
	}
	to.Set(reflect.ValueOf(d.setting(key, values)))
}

func (d *decoder) setting(key string, raw any) any {
	switch raw := raw.(type) {
	case map[string]any:
		values := make(map[string]any, len(raw))
		for _, name := range slices.Sorted(maps.Keys(raw)) {
			child := join(key, name)
			plain, isFile := strings.CutSuffix(name, fileSuffix)
			switch {
			case !isFile || plain == "":
				values[name] = d.setting(child, raw[name])
			case raw[plain] == nil || d.overrules(child, join(key, plain)):
				d.hidden[join(key, plain)] = true
				values[plain] = d.files(child, raw[name])
			}
		}
		return values
	case []any:
		items := make([]any, len(raw))
		for i, item := range raw {
			items[i] = d.setting(fmt.Sprintf("%s[%d]", key, i), item)
		}
		return items
	case string:
		if secretName.MatchString(lastWord(key)) {
			d.noteLiteral(key, raw)
		}
		return d.expand(key, raw)
	case time.Time:
		d.problem(key, "YAML takes this for a date: put it in quotes")
	case float64:
		if math.IsNaN(raw) || math.IsInf(raw, 0) {
			d.problem(key, "want a finite number")
		}
	}
	return raw
}

// secretName is what plugins call settings that are secret; which are, their schemas alone
// know.
var secretName = regexp.MustCompile(`(?i)secret|token|password|key|webhook`)

// hasPassword reports whether a URL has one.
func hasPassword(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return true // which is mostly a password that is not encoded
	}
	_, has := u.User.Password()
	return has
}

// noteLiteral remembers that the file itself holds a secret.
func (d *decoder) noteLiteral(key, text string) {
	if d.literal == "" && text != "" && d.origin.layerOf(key) == fromFile && !reference.MatchString(text) {
		d.literal = key
	}
}

// lastWord returns the last part of a key.
func lastWord(key string) string { return key[strings.LastIndexByte(key, '.')+1:] }
