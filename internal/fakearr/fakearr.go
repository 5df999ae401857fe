// Package fakearr imitates the applications that post to Hookarr, for tests and
// demonstrations: their webhooks with everything that loses them (no retries, a
// back-off during which events are dropped), and as much of their APIs as Hookarr
// uses. A test drives the application (Grab, Import, Delete, …) and reads from its
// journal what ought to have arrived. The state is in memory; serve an Arr with
// package httptest, on loopback.
//
// What the applications do not document follows the sources of
// Radarr 6.1, Sonarr 4.0.19, Lidarr 2.14.5, Readarr 0.4.18, Whisparr 2.0.0 and Whisparr
// 3.2.0.
package fakearr

import (
	"cmp"
	"crypto/tls"
	"net/http"
	"sync"
	"time"
)

// App is an application that can be imitated.
type App string

// The applications.
const (
	Radarr     App = "radarr"
	Sonarr     App = "sonarr"
	Lidarr     App = "lidarr"
	Readarr    App = "readarr"
	WhisparrV2 App = "whisparr-v2"
	WhisparrV3 App = "whisparr-v3"
)

// Apps returns the applications in which Hookarr can register its webhook: all but
// Readarr.
func Apps() []App { return []App{Radarr, Sonarr, Lidarr, WhisparrV2, WhisparrV3} }

// Options are the settings of an installation. The zero value is a usual one.
type Options struct {
	// APIKey is 32 hexadecimal digits unless given.
	APIKey string
	// Version is that of the sources that were read unless given.
	Version string
	// InstanceName is the application's name unless given.
	InstanceName string
	// URLBase is the path under which the application is served, "/radarr" say.
	URLBase string
	// ApplicationURL is what the user set as the application's public address.
	ApplicationURL string
	// Now is the application's clock, time.Now unless given.
	Now func() time.Time
	// TLS is how webhooks' receivers are verified.
	TLS *tls.Config
}

// Arr is one installation of an application. All methods may be called from several
// goroutines; those that make something happen wait for each other.
type Arr struct {
	app     App
	opts    Options
	profile profile
	family  family
	mux     *http.ServeMux
	client  *http.Client

	// driving is held while something happens, state only while state is touched: the
	// API answers while a webhook waits for its receiver.
	driving sync.Mutex
	state   sync.Mutex

	lastID map[string]int
	// asked counts the requests to the API by their pattern.
	asked       map[string]int
	started     time.Time
	tags        []string
	connections []*connection
	profiles    []string
	// titles and files are in the order of their ids.
	titles []*Title
	files  []*File
	// filesByTitle are the files again, by the ids of their titles.
	filesByTitle map[int][]*File
	downloads    []*Download
	history      []record
	checks       []Check
	// untold checks failed before the application's start.
	untold  bool
	events  []Event
	trouble Trouble
	// rootFolders are made of the titles' folders while nil.
	rootFolders []RootFolder
}

// New returns an installation that has been running for a day and has neither
// titles nor connections.
func New(app App, o Options) *Arr {
	p := profiles()[app]
	o.APIKey = cmp.Or(o.APIKey, "0123456789abcdef0123456789abcdef")
	o.Version = cmp.Or(o.Version, p.version)
	o.InstanceName = cmp.Or(o.InstanceName, p.product)
	if o.Now == nil {
		o.Now = time.Now
	}
	a := &Arr{app: app, opts: o, profile: p, client: newClient(o.TLS), lastID: map[string]int{}, asked: map[string]int{}, filesByTitle: map[int][]*File{}}
	a.started = a.now().Add(-24 * time.Hour)
	a.family = p.family(a)
	a.mux = http.NewServeMux()
	a.routes()
	return a
}

// APIKey returns the key that the API asks for.
func (a *Arr) APIKey() string { return a.opts.APIKey }

// now is the application's time, to the precision in which it keeps times.
func (a *Arr) now() time.Time {
	return a.opts.Now().Add(a.trouble.ClockSkew).UTC().Truncate(100 * time.Nanosecond)
}

// id returns the next id of a kind.
func (a *Arr) id(kind string) int {
	a.lastID[kind]++
	return a.lastID[kind]
}
