package arr

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/hookarr/hookarr/sdk"
)

// App is an application as it spells its name.
type App string

// The applications.
const (
	Radarr   App = "Radarr"
	Sonarr   App = "Sonarr"
	Lidarr   App = "Lidarr"
	Whisparr App = "Whisparr"
	Prowlarr App = "Prowlarr"
	Readarr  App = "Readarr"
)

// Named is the application that spells its name so, in whatever case, or empty.
func Named(name string) App {
	for _, a := range apps() {
		if strings.EqualFold(name, string(a)) {
			return a
		}
	}
	return ""
}

func apps() []App { return []App{Radarr, Sonarr, Lidarr, Whisparr, Prowlarr, Readarr} }

// Name is the application's name in events and of its plugin.
func (a App) Name() string { return strings.ToLower(string(a)) }

// Event returns what an event holds of every webhook: the application, its version,
// the instance, the native type and, as the event's page, the application itself. It
// fails, with an error marked as invalid, when the payload is not one of app's.
func (p *Payload) Event(app App, r sdk.Request, fallbackURL string) (sdk.Event, error) {
	p.EventType = OneLine(p.EventType)
	if p.EventType == "" {
		return sdk.Event{}, sdk.Invalid(fmt.Errorf("the body has no eventType: it is not a webhook of %s", app))
	}
	agent, version := userAgent(r.Header.Get("User-Agent"))
	for _, sender := range []App{agent, p.named(app), p.shape()} {
		if sender != "" && sender != app {
			return sdk.Event{}, p.Foreign(sender)
		}
	}
	e := sdk.Event{
		App:        app.Name(),
		AppVersion: version,
		Instance:   OneLine(p.InstanceName),
		NativeType: p.EventType,
	}
	if u := cmp.Or(AbsoluteURL(p.ApplicationURL), AbsoluteURL(fallbackURL)); u != nil {
		e.URL = u.String()
	}
	return e, nil
}

// Foreign is the error for a payload of another application. A test is marked as
// such, so that the person who pressed the button reads it.
func (p *Payload) Foreign(sender App) error {
	err := fmt.Errorf("this looks like %s: point it at a source with plugin %s", sender, sender.Name())
	if strings.EqualFold(p.EventType, "Test") {
		return sdk.InvalidTest(err)
	}
	return sdk.Invalid(err)
}

// userAgent reads "Radarr/6.0.4.10291 (alpine 3.22.1)". The application is empty for
// another sender, such as a relay.
func userAgent(s string) (App, string) {
	product, _, _ := strings.Cut(s, " ")
	name, version, _ := strings.Cut(product, "/")
	if a := Named(name); a != "" {
		return a, OneLine(version)
	}
	return "", ""
}

// named is the application whose name the instance's name contains, as the
// applications insist on. A name with several is taken as want's when it can be.
func (p *Payload) named(want App) App {
	name := strings.ToLower(p.InstanceName)
	for _, a := range append([]App{want}, apps()...) {
		if strings.Contains(name, a.Name()) {
			return a
		}
	}
	return ""
}

// shape is the application that sends such fields.
func (p *Payload) shape() App {
	switch {
	case bool(p.Series || p.Episodes):
		return Sonarr
	case bool(p.Artist || p.Album || p.Albums || p.Tracks):
		return Lidarr
	case bool(p.Author):
		return Readarr
	case bool(p.Movie):
		return Radarr
	default:
		return ""
	}
}

// System fills in an event that is the same in all applications and concerns no
// title: a test, a health check, an update. It reports whether this is one.
func (p *Payload) System(e *sdk.Event, app App) bool {
	switch strings.ToLower(p.EventType) {
	case "test":
		// The payload's title is made up and its ids belong to real titles.
		e.Type = sdk.TypeTest
		e.Title = cmp.Or(e.Instance, string(app))
		e.Summary = e.Title + " tested its connection to Hookarr"
	case "health":
		p.health(e, sdk.TypeHealthIssue)
	case "healthrestored":
		p.health(e, sdk.TypeHealthRestored)
	case "applicationupdate":
		p.update(e, app)
	default:
		return false
	}
	return true
}

func (p *Payload) health(e *sdk.Event, t sdk.Type) {
	e.Type = t
	e.Health = &sdk.Health{
		Level:   cmp.Or(strings.ToLower(OneLine(p.Level)), "warning"),
		Check:   p.Type,
		Message: p.Message,
	}
	if u := AbsoluteURL(p.WikiURL); u != nil {
		e.Health.WikiURL = u.String()
	}
	e.URL = Page(e.URL, "system", "status")
	e.Title = cmp.Or(Capital(Words(p.Type)), "Health")
	message := cmp.Or(OneLine(p.Message), e.Title)
	if t == sdk.TypeHealthRestored {
		e.Summary = "Resolved: " + message
	} else {
		e.Summary = Capital(e.Health.Level) + ": " + message
	}
	// The message is in the language of the application's user and names what is
	// affected; the check is the part that stays.
	e.CorrelationKey = Key("health", cmp.Or(p.Type, p.Message))
	if p.Type+p.Level+p.Message != "" {
		e.Fingerprint = Fingerprint(string(t), append(p.instance(), p.Type, p.Level, p.Message)...)
	}
}

func (p *Payload) update(e *sdk.Event, app App) {
	e.Type = sdk.TypeAppUpdated
	from, to := OneLine(p.PreviousVersion), OneLine(p.NewVersion)
	e.Update = &sdk.Update{From: from, To: to, Message: p.Message}
	e.URL = Page(e.URL, "system", "updates")
	e.Title = strings.TrimSpace(string(app) + " " + to)
	switch {
	case from != "" && to != "":
		e.Summary = fmt.Sprintf("Updated %s from %s to %s", app, from, to)
	case to != "":
		e.Summary = fmt.Sprintf("Updated %s to %s", app, to)
	default:
		e.Summary = cmp.Or(OneLine(p.Message), fmt.Sprintf("Updated %s", app))
	}
	if from+to != "" {
		e.Fingerprint = Fingerprint(string(sdk.TypeAppUpdated), append(p.instance(), from, to)...)
	}
}

// instance tells the installation from others of the same application, as far as it
// says who it is. Two may post to one source.
func (p *Payload) instance() []string { return []string{p.InstanceName, p.ApplicationURL} }

// Unknown fills in an event whose type this version does not know. The subject is
// the title concerned, or empty.
func (p *Payload) Unknown(e *sdk.Event, app App, subject string) {
	e.Type = sdk.TypeUnknown
	e.Title = cmp.Or(subject, fmt.Sprintf("%s: %s", app, Words(p.EventType)))
	e.Summary = fmt.Sprintf("%s reported %s, which Hookarr does not know", app, p.EventType)
	if subject != "" {
		e.Summary = fmt.Sprintf("%s reported %s for %s, which Hookarr does not know", app, p.EventType, subject)
	}
}

// AbsoluteURL returns an absolute HTTP URL without credentials, or nil.
func AbsoluteURL(s string) *url.URL {
	u, err := url.Parse(strings.TrimSpace(s))
	if err != nil || u.Host == "" || !slices.Contains([]string{"http", "https"}, u.Scheme) {
		return nil
	}
	u.User = nil
	return u
}

// Page returns the URL of a page of the application, or empty when the
// application's own is not known.
func Page(base string, path ...string) string {
	u := AbsoluteURL(base)
	if u == nil {
		return ""
	}
	u.RawQuery, u.Fragment = "", ""
	return u.JoinPath(path...).String()
}
