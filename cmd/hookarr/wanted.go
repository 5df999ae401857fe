package main

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/connect"
)

// wanted is what somebody who begins wants: by flags, or by the answers to questions.
type wanted struct {
	discord, slack, webhook []string
	// telegram is a bot's token, and telegramChat where it writes.
	telegram, telegramChat string
	// ntfy are the addresses of topics.
	ntfy []string
	// apps are NAME or NAME=URL,KEY.
	apps        []string
	externalURL string
}

func (w wanted) none() bool {
	return len(w.discord)+len(w.slack)+len(w.ntfy)+len(w.webhook)+len(w.apps) == 0 && w.telegram+w.telegramChat+w.externalURL == ""
}

// filled is what the template writes.
type filled struct {
	Listen, ExternalURL string
	// Plugins are directories, the first of which with a plugin has it.
	Plugins []string
	// AdminListen and AdminToken are of the pages for operators.
	AdminListen, AdminToken string
	Apps                    []newApp
	Targets                 []newTarget
	// Example is that nothing was asked for: the target stands for one of the reader's.
	Example bool
	// InImage is that it is for a container, whose port others reach.
	InImage bool
}

// inImage has it serve from a container: one port on every address, and the user's own
// plugins in the volume.
func (f *filled) inImage() {
	f.Listen = ":" + defaultPort
	f.AdminListen = f.Listen
	f.Plugins = append(f.Plugins, "./"+ownPlugins)
	f.InImage = true
	if f.Example {
		f.Targets[0].URL = exampleImageURL
	}
}

// Run is how commands are run.
func (f filled) Run() string {
	if f.InImage {
		return "docker exec CONTAINER hookarr"
	}
	return "hookarr"
}

// Dir is where files beside the configuration are, as examples name it.
func (f filled) Dir() string {
	if f.InImage {
		return "/config"
	}
	return "/etc/hookarr"
}

// To lists the targets in a route.
func (f filled) To() string {
	names := make([]string, len(f.Targets))
	for i, t := range f.Targets {
		names[i] = t.Name
	}
	return strings.Join(names, ", ")
}

type newApp struct {
	Name, Plugin string
	// Asked is that the plugin asks the application through its API.
	Asked          bool
	URL, Key       string
	HMAC, Password string
}

type newTarget struct {
	Name, Plugin string
	// URL may be a secret.
	URL string
	// Place is a chat of Telegram's, or a topic of ntfy's.
	Place  string
	Secret string
}

// The applications whose plugins ask them through their API, and those that do not.
var (
	askedApps  = []string{"radarr", "sonarr", "lidarr", "whisparr"}
	silentApps = []string{"readarr", "prowlarr"}
)

// exampleURL is of an endpoint that the reader puts another in the place of.
const exampleURL = "http://127.0.0.1:9900/hook"

// exampleImageURL is the same in a container, which has nothing else at its own address.
const exampleImageURL = "http://endpoint:9900/hook"

// defaultPort is the one that webhooks are taken at.
const defaultPort = "8484"

// adminPort is the one of the pages for operators, and otherAdminPort where that is taken
// by webhooks.
const adminPort, otherAdminPort = "8485", "8486"

// fill makes a configuration of what is wanted.
func (w wanted) fill() (filled, error) {
	f := filled{
		Listen: "127.0.0.1:" + defaultPort, ExternalURL: w.externalURL,
		AdminListen: "127.0.0.1:" + adminPort, AdminToken: freshSecret() + freshSecret(),
	}
	var err error
	if f.Targets, err = w.targets(); err != nil {
		return filled{}, err
	}
	if len(f.Targets) == 0 {
		f.Example = true
		f.Targets = []newTarget{{Name: "ops", Plugin: "webhook", URL: exampleURL, Secret: freshWebhookSecret()}}
	}
	apps := w.apps
	if len(apps) == 0 {
		apps = askedApps[:1]
	}
	for _, text := range apps {
		app, err := parseApp(text)
		if err != nil {
			return filled{}, usagef("--app: %w", err)
		}
		if slices.ContainsFunc(f.Apps, func(a newApp) bool { return a.Name == app.Name }) {
			return filled{}, usagef("--app: %s is there twice: call the other %s-2", app.Name, app.Plugin)
		}
		f.Apps = append(f.Apps, app)
	}
	if w.externalURL != "" {
		if err := checkURL(w.externalURL); err != nil {
			return filled{}, usagef("--external-url: %w", err)
		}
		f.Listen = listenFor(w.externalURL)
	}
	if strings.HasSuffix(f.Listen, ":"+adminPort) {
		f.AdminListen = "127.0.0.1:" + otherAdminPort
	}
	return f, nil
}

// targets are those that were asked for.
func (w wanted) targets() ([]newTarget, error) {
	var all []newTarget
	for _, group := range []struct {
		flag, name, plugin string
		urls               []string
	}{{"--discord", "chat", "discord", w.discord}, {"--slack", "team", "slack", w.slack}, {"--ntfy", "phone", "ntfy", w.ntfy}, {"--webhook", "ops", "webhook", w.webhook}} {
		for i, address := range group.urls {
			t := newTarget{Name: group.name, Plugin: group.plugin, URL: address}
			err := checkURL(address)
			switch group.plugin {
			case "webhook":
				t.Secret = freshWebhookSecret()
			case "ntfy":
				t.URL, t.Place, err = parseTopic(address)
			}
			if err != nil {
				return nil, usagef("%s: %w", group.flag, err)
			}
			if i > 0 {
				t.Name = fmt.Sprintf("%s-%d", group.name, i+1)
			}
			all = append(all, t)
		}
	}
	if w.telegram == "" && w.telegramChat == "" {
		return all, nil
	}
	if err := checkBotToken(w.telegram); err != nil {
		return nil, usagef("--telegram: %w", err)
	}
	if err := checkChat(w.telegramChat); err != nil {
		return nil, usagef("--telegram-chat: %w", err)
	}
	return append(all, newTarget{Name: "family", Plugin: "telegram", Secret: w.telegram, Place: w.telegramChat}), nil
}

// parseTopic takes the address of a topic apart. Who knows the topic can read it, so that
// the error does not repeat it.
func parseTopic(address string) (server, topic string, err error) {
	u, err := url.Parse(address)
	if err != nil || checkURL(address) != nil || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", "", errors.New("want the URL of a topic, such as https://ntfy.sh/TOPIC")
	}
	at := strings.LastIndex(u.Path, "/") + 1
	topic = u.Path[at:]
	if !regexp.MustCompile(`^[-_A-Za-z0-9]{1,64}$`).MatchString(topic) {
		return "", "", errors.New("want the URL of a topic, such as https://ntfy.sh/TOPIC, whose name is 1 to 64 letters, digits, - and _")
	}
	u.Path = strings.TrimSuffix(u.Path[:at], "/")
	return u.String(), topic, nil
}

func checkTopic(address string) error {
	_, _, err := parseTopic(address)
	return err
}

// checkBotToken never repeats the token.
func checkBotToken(token string) error {
	if !regexp.MustCompile(`^\d+:[-_A-Za-z0-9]+$`).MatchString(token) {
		return errors.New("want the token of a bot, which is digits, a colon and letters: @BotFather has it")
	}
	return nil
}

func checkChat(chat string) error {
	if !regexp.MustCompile(`^(-?\d+|@\w+)$`).MatchString(chat) {
		return errors.New("want the number of a chat, such as -1001234567890, or the @name of a public channel")
	}
	return nil
}

// checkURL never repeats the URL, which may be a secret.
func checkURL(address string) error {
	if u, err := url.Parse(address); err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" {
		return errors.New("want a URL that begins with http:// or https://")
	}
	return nil
}

// parseApp reads NAME or NAME=URL,KEY.
func parseApp(text string) (newApp, error) {
	name, rest, _ := strings.Cut(text, "=")
	known := slices.Concat(askedApps, silentApps)
	i := slices.IndexFunc(known, func(app string) bool { return name == app || strings.HasPrefix(name, app+"-") })
	if i < 0 {
		return newApp{}, fmt.Errorf("%q is no application%s", name, meant(name, known))
	}
	if !config.NamePattern.MatchString(name) || strings.HasSuffix(name, "-") || strings.Contains(name, "--") {
		return newApp{}, fmt.Errorf("%q is no name: want at most 40 of a-z, 0-9 and single dashes, such as %s-4k", name, known[i])
	}
	app := newApp{Name: name, Plugin: known[i], Asked: i < len(askedApps), HMAC: freshSecret() + freshSecret(), Password: freshSecret()}
	if rest == "" {
		return app, nil
	}
	app.URL, app.Key = rest, ""
	if j := strings.LastIndex(rest, ","); j >= 0 {
		app.URL, app.Key = rest[:j], rest[j+1:]
	}
	switch {
	case checkURL(app.URL) != nil:
		return newApp{}, fmt.Errorf("%s: %w", name, checkURL(app.URL))
	case app.Asked && app.Key == "":
		return newApp{}, fmt.Errorf("%s: give the API key behind a comma, %s=URL,KEY: it is in the application's Settings, General", name, name)
	case !app.Asked && app.Key != "":
		return newApp{}, fmt.Errorf("%s: leave the key out: Hookarr takes its webhooks and asks it nothing", name)
	}
	return app, nil
}

// listenFor is where to listen for applications that come to an address.
func listenFor(external string) string {
	u, err := url.Parse(external)
	if err != nil {
		return ":" + defaultPort
	}
	port := cmp.Or(u.Port(), defaultPort)
	switch {
	case !connect.IsLoopback(external):
		return ":" + port
	case u.Hostname() == "localhost":
		return net.JoinHostPort("127.0.0.1", port)
	default:
		return net.JoinHostPort(u.Hostname(), port)
	}
}

// next says what to do with a configuration that was just written. Flags are what every
// command needs to find it.
func (f filled) next(flags string) string {
	var b strings.Builder
	b.WriteString("Next:\n")
	step := 0
	serve, base := "hookarr serve", "http://127.0.0.1:"+defaultPort
	if f.InImage {
		serve, base = "docker compose up -d", "http://hookarr:"+defaultPort
	}
	say := func(command, what string) {
		step++
		switch {
		case !f.InImage:
			command += flags
		case command != serve:
			command = f.Run() + strings.TrimPrefix(command, "hookarr")
		}
		fmt.Fprintf(&b, "  %d. %s\n     %s\n", step, command, what)
	}
	switch {
	case f.Example && f.InImage:
		say(serve, "takes webhooks, once you have been through sources and targets of the file")
	case f.Example:
		say("hookarr check", "says what is wrong with it, once you have been through its sources and targets")
		say(serve, "takes webhooks")
	default:
		say(serve, "takes webhooks, and says hello to "+f.To())
	}
	say("hookarr send "+f.Apps[0].Name+" --sample "+sampleOf(f.Apps[0].Plugin), "shows the whole way, in another terminal")
	say("hookarr open", "prints a link to the pages, which signs your browser in")
	var byHand []newApp
	for _, a := range f.Apps {
		if a.Asked && a.URL != "" {
			say("hookarr connect "+a.Name, "has the application post its webhooks")
			continue
		}
		byHand = append(byHand, a)
	}
	base = strings.TrimSuffix(cmp.Or(f.ExternalURL, base), "/")
	for _, a := range byHand {
		fmt.Fprintf(&b, "\nIn %s, add a webhook to %s/hooks/%s,\nwith the username and password under sources.%s.auth.", a.Name, base, a.Name, a.Name)
		if a.Asked {
			fmt.Fprintf(&b, " Or put base_url and api_key\nunder sources.%s.config, and %s connect %s does it.", a.Name, f.Run(), a.Name)
		}
		b.WriteString("\n")
	}
	if f.InImage && f.ExternalURL == "" {
		b.WriteString("\nApplications reach the container by its name in the same network of containers. Set external_url\nto where yours do, such as http://hookarr:8484, for hookarr connect.\n")
	} else if f.ExternalURL == "" && slices.ContainsFunc(f.Apps, func(a newApp) bool { return a.URL != "" && !connect.IsLoopback(a.URL) }) {
		b.WriteString("\nApplications on other machines need listen: :8484 in the file, and external_url: where\nthey reach this one.\n")
	}
	return b.String()
}

// sampleOf is one that the application of a plugin has.
func sampleOf(plugin string) string {
	if plugin == "prowlarr" {
		return "grab"
	}
	return "import"
}
