// Package poster fetches the pictures of titles, for targets whose service could not: it
// would ask from the internet, where an application at home cannot be reached, and its
// URLs are nobody's business.
package poster

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/hookarr/hookarr/sdk"
)

const (
	// MaxBytes is the largest picture that is fetched.
	MaxBytes = 5 << 20
	// posterTimeout is the longest that one is waited for, and a third of the time that there is.
	// A message without its picture is better than a late one.
	posterTimeout = 10 * time.Second
)

// Image is a picture: a JPEG, a PNG or a WebP.
type Image struct {
	// Name is that of a file: poster.jpg.
	Name string
	// Type is the media type that the bytes say: image/jpeg.
	Type string
	Data []byte
}

// Fetcher fetches pictures from the hosts that applications name in their metadata, and
// from those that an operator allows. It may be used concurrently.
type Fetcher struct {
	http  *sdk.HTTP
	hosts []string
}

// New returns a Fetcher that sends its requests by h, whose answers it bounds to MaxBytes.
// Hosts are further ones that it may ask, as a URL has them: a name or an address, with the
// port where it is not that of the scheme. It is for the instance's constructor.
func New(h *sdk.HTTP, hosts []string) Fetcher {
	h.LimitBody(MaxBytes)
	f := Fetcher{http: h}
	for _, host := range hosts {
		f.hosts = append(f.hosts, strings.ToLower(host))
	}
	return f
}

// CheckHosts returns a problem for each of the hosts in a configuration's image_hosts that
// New would not take.
func CheckHosts(hosts []string) error {
	var problems []error
	for i, host := range hosts {
		key := fmt.Sprintf("image_hosts[%d]", i)
		u, err := url.Parse("//" + host)
		if err != nil || u.Hostname() == "" || u.Host != host || strings.Contains(host, "*") {
			problems = append(problems, sdk.Problem(key, "is not a host; write each as a URL has it between the slashes, such as nas.lan:7878"))
		} else if err := sdk.CheckHost(u.Hostname()); err != nil {
			problems = append(problems, sdk.Problem(key, err.Error()+"; write that of an application"))
		}
	}
	return errors.Join(problems...)
}

// Fetch returns the picture at a URL. The error names the host, and nothing else of the
// URL, which may hold a credential.
func (f Fetcher) Fetch(ctx context.Context, raw string) (Image, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return Image{}, errors.New("the poster's URL is none")
	}
	switch {
	case slices.Contains(f.hosts, strings.ToLower(u.Host)):
	case public(u):
		u = small(u)
	default:
		return Image{}, fmt.Errorf("posters are not fetched from %s unless image_hosts has it", u.Host)
	}
	within := posterTimeout
	if deadline, ok := ctx.Deadline(); ok {
		within = min(within, time.Until(deadline)/3)
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), http.NoBody)
	if err != nil {
		return Image{}, errors.New("the poster's URL is none")
	}
	req.Header.Set("Accept", "image/jpeg, image/png, image/webp")
	resp, err := f.http.ReadAll(req)
	switch {
	case err != nil:
		return Image{}, fmt.Errorf("fetch the poster from %s: %w", u.Host, err)
	case resp.Truncated:
		return Image{}, fmt.Errorf("the poster from %s has more than %d MiB", u.Host, MaxBytes>>20)
	}
	return read(u.Host, resp.Body)
}

// read makes an image of bytes, which say themselves what they are.
func read(host string, data []byte) (Image, error) {
	kind := http.DetectContentType(data)
	name, ok := map[string]string{"image/jpeg": "poster.jpg", "image/png": "poster.png", "image/webp": "poster.webp"}[kind]
	if !ok {
		return Image{}, fmt.Errorf("what %s has for a poster is no JPEG, PNG or WebP", host)
	}
	return Image{Name: name, Type: kind, Data: data}, nil
}

// Public returns the URL of a picture that anybody may know of and can fetch, or nothing
// for any other.
func Public(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || !public(u) {
		return ""
	}
	return small(u).String()
}

// Shareable returns the URL of a picture, or nothing for one with a credential in it, such
// as the API key of an application: it would be in a message for everybody to read.
func Shareable(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.User != nil {
		return ""
	}
	query, err := url.QueryUnescape(u.RawQuery)
	if err != nil || regexp.MustCompile(`(?i)auth|token|secret|passw|key`).MatchString(query) {
		return ""
	}
	return raw
}

// public reports whether a URL leads to one of the hosts whose pictures the applications
// name, with nothing in it but the picture's place.
func public(u *url.URL) bool {
	return u.Scheme == "https" && u.User == nil && u.RawQuery == "" && u.Fragment == "" && slices.Contains([]string{
		"image.tmdb.org", "artworks.thetvdb.com", "assets.fanart.tv", "static.tvmaze.com", "imagecache.lidarr.audio",
	}, u.Host)
}

// small asks TMDb for the size of picture that messages show. The original can have more
// than MaxBytes. Sizes: https://developer.themoviedb.org/docs/image-basics.
func small(u *url.URL) *url.URL {
	rest, ok := strings.CutPrefix(u.Path, "/t/p/original/")
	if u.Host != "image.tmdb.org" || !ok {
		return u
	}
	smaller := *u
	smaller.Path, smaller.RawPath = "/t/p/w780/"+rest, ""
	return &smaller
}
