package plex

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/hookarr/hookarr/plugins/internal/mediaserver"
	"github.com/hookarr/hookarr/sdk"
)

// server is a Plex Media Server's API, as https://developer.plex.tv/pms describes it.
type server struct {
	http   *sdk.HTTP
	base   string
	token  sdk.Secret
	client string

	// posts says that scans are asked for by POST. Servers have changed what they take: PUT
	// and POST were not found from 1.32.7 on (Cloudbox/autoscan#218), and newer descriptions
	// have POST.
	posts atomic.Bool
	// machine is the server's own id, once it is known.
	machine atomic.Pointer[string]
}

// container is what every answer is in.
type container struct {
	MediaContainer struct {
		Machine   string      `json:"machineIdentifier"`
		Version   string      `json:"version"`
		Name      string      `json:"friendlyName"`
		TotalSize int         `json:"totalSize"`
		Size      int         `json:"size"`
		Directory []directory `json:"Directory"`
		Metadata  []metadata  `json:"Metadata"`
		Path      []named     `json:"Path"`
		File      []named     `json:"File"`
	} `json:"MediaContainer"`
}

// directory is a library.
type directory struct {
	Key        string  `json:"key"`
	Title      string  `json:"title"`
	Type       string  `json:"type"`
	Refreshing flag    `json:"refreshing"`
	Location   []named `json:"Location"`
}

// named is a folder or a file.
type named struct {
	Path string `json:"path"`
}

// metadata is a movie, a show, an episode, an artist or a track.
type metadata struct {
	Key         string  `json:"ratingKey"`
	Title       string  `json:"title"`
	Grandparent string  `json:"grandparentTitle"`
	GrandKey    string  `json:"grandparentRatingKey"`
	Deleted     int64   `json:"deletedAt"`
	Location    []named `json:"Location"`
	GUID        []struct {
		ID string `json:"id"`
	} `json:"Guid"`
	Media []struct {
		Deleted int64 `json:"deletedAt"`
		Part    []struct {
			File string `json:"file"`
			Size int64  `json:"size"`
		} `json:"Part"`
	} `json:"Media"`
}

// ids are a title's, keyed like those of sdk.Media. Titles of old agents have none.
func (m *metadata) ids() map[string]string {
	var ids map[string]string
	for _, guid := range m.GUID {
		if service, id, ok := strings.Cut(guid.ID, "://"); ok && id != "" {
			if ids == nil {
				ids = map[string]string{}
			}
			ids[service] = id
		}
	}
	return ids
}

// flag is a truth value, which versions write as true, 1 and "1".
type flag bool

// UnmarshalJSON reads every one of them.
func (f *flag) UnmarshalJSON(data []byte) error {
	switch strings.Trim(string(data), `"`) {
	case "true", "1":
		*f = true
	default:
		*f = false
	}
	return nil
}

var _ json.Unmarshaler = new(flag)

// get asks for a container. Path is after the base, already escaped.
func (s *server) get(ctx context.Context, path string, query url.Values) (*container, error) {
	var c container
	if err := s.do(ctx, http.MethodGet, path, query, &c); err != nil {
		return nil, err
	}
	return &c, nil
}

func (s *server) do(ctx context.Context, method, path string, query url.Values, into any) error {
	address := s.base + path
	if len(query) > 0 {
		// A plus is a space to some servers and a plus to others.
		address += "?" + strings.ReplaceAll(query.Encode(), "+", "%20")
	}
	req, err := http.NewRequestWithContext(ctx, method, address, http.NoBody)
	if err != nil {
		return sdk.Misconfigured(errors.New("url is not a valid URL"))
	}
	// In the query it would be in logs of proxies.
	req.Header.Set("X-Plex-Token", s.token.Reveal())
	req.Header.Set("X-Plex-Client-Identifier", s.client)
	req.Header.Set("X-Plex-Product", "Hookarr")
	// Without it, answers are XML.
	req.Header.Set("Accept", "application/json")
	return mediaserver.JSON(s.http, req, nil, into, s.hint())
}

// hint says what is probably wrong with a token that is refused.
func (s *server) hint() string {
	if t := s.token.Reveal(); strings.HasPrefix(t, "eyJ") && strings.Count(t, ".") == 2 {
		return "the token is a JWT, which ends after 7 days; configure the X-Plex-Token of the server's owner, which lasts"
	}
	return "check token: it is to be the X-Plex-Token of the server's owner, and ends when the owner signs out or changes the password"
}

// pageSize is how many items are asked for at once.
const pageSize = 1000

// list hands out the items of a list, page by page, at most so many.
func (s *server) list(ctx context.Context, path string, query url.Values, most int, each func(*metadata)) error {
	q := url.Values{}
	maps.Copy(q, query)
	for start := 0; start < most; {
		q.Set("X-Plex-Container-Start", strconv.Itoa(start))
		q.Set("X-Plex-Container-Size", strconv.Itoa(min(pageSize, most-start)))
		c, err := s.get(ctx, path, q)
		if err != nil {
			return err
		}
		page := c.MediaContainer.Metadata
		page = page[:min(len(page), most-start)] // whatever the server takes for a page
		for i := range page {
			each(&page[i])
		}
		start += len(page)
		if len(page) == 0 || start >= c.MediaContainer.TotalSize {
			return nil
		}
	}
	return nil
}

// Check is mediaserver.Server's.
func (s *server) Check(ctx context.Context) (string, error) {
	c, err := s.get(ctx, "/identity", nil)
	if err != nil {
		return "", s.notPlex(err)
	}
	if c.MediaContainer.Machine == "" {
		return "", sdk.Misconfigured(errors.New("what answers is not Plex: check url, which is http://HOST:32400 unless it was changed"))
	}
	version := c.MediaContainer.Version
	if c, err = s.get(ctx, "/", nil); err != nil {
		return "", err
	}
	about := "Plex " + version
	if name := c.MediaContainer.Name; name != "" {
		about += " on " + name
	}
	_, err = s.get(ctx, "/services/browse", nil)
	switch mediaserver.StatusOf(err) {
	case http.StatusUnauthorized, http.StatusForbidden:
		return "", sdk.Misconfigured(fmt.Errorf("the token may look and not scan: %w", err))
	case http.StatusNotFound, http.StatusMethodNotAllowed:
		return about + ", which does not tell what is on its disks", nil
	}
	return about, err
}

// notPlex explains an address that is not found.
func (s *server) notPlex(err error) error {
	if r, ok := errors.AsType[*mediaserver.Refusal](err); ok && errors.Is(err, mediaserver.ErrStale) {
		return r.Because(sdk.Misconfigured(fmt.Errorf("no Plex answers at url, which is http://HOST:32400 unless it was changed: the answer was %d", r.Status)))
	}
	return err
}
