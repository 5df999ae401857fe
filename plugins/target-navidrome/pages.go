package navidrome

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/hookarr/hookarr/plugins/internal/mediaserver"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/pathmap"
)

// recheck is how long nobody asks again for the API of the web pages where it was not
// there.
const recheck = 10 * time.Minute

// errNoPages says that only the Subsonic API can be used.
var errNoPages = errors.New("the API of the web pages is out of reach")

// song is one of the API of the web pages. Its path is in the library; before 0.55 it was
// absolute.
type song struct {
	ID          string
	LibraryPath string
	Path        string
	Title       string
	AlbumID     string
	Size        int64
	Missing     bool
}

// pages reads from the API that Navidrome's own web pages use: it alone tells where files
// are (server/nativeapi in navidrome/navidrome). A proxy may keep others from it, or log
// people in by itself: then the error is errNoPages.
func (n *navidrome) pages(ctx context.Context, at string, query url.Values, into any) error {
	for again := false; ; again = true {
		token, err := n.login(ctx, again)
		if err != nil {
			return err
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, n.base+"/api/"+at+"?"+query.Encode(), http.NoBody)
		if err != nil {
			return sdk.Misconfigured(errors.New("url is not a valid URL"))
		}
		req.Header.Set("X-ND-Authorization", "Bearer "+token)
		err = mediaserver.JSON(n.http, req, nil, into, "username has to be an administrator")
		switch status := mediaserver.StatusOf(err); {
		case status == http.StatusUnauthorized && !again: // the token is too old
			continue
		case status == http.StatusForbidden:
			return err
		}
		return n.without(err)
	}
}

// login returns a token: the one from before, unless it is to be a new one.
func (n *navidrome) login(ctx context.Context, fresh bool) (string, error) {
	n.mu.Lock()
	token, blocked := n.token, time.Now().Before(n.blocked)
	n.mu.Unlock()
	switch {
	case blocked:
		return "", errNoPages
	case token != "" && !fresh:
		return token, nil
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, n.base+"/auth/login", http.NoBody)
	if err != nil {
		return "", sdk.Misconfigured(errors.New("url is not a valid URL"))
	}
	var user struct{ Token string }
	in := map[string]string{"username": n.username, "password": n.password.Reveal()}
	if err := mediaserver.JSON(n.http, req, in, &user, hint); err != nil {
		return "", n.without(err)
	}
	if user.Token == "" {
		return "", n.without(sdk.Misconfigured(errors.New("there is no token in the answer")))
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.token = user.Token
	return user.Token, nil
}

// without turns an answer that is none of this API into errNoPages. Whether the password is
// right, the Subsonic API says.
func (n *navidrome) without(err error) error {
	if class, _ := sdk.ClassOf(err); class != sdk.ClassMisconfigured {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.blocked = time.Now().Add(recheck)
	return errNoPages
}

// songs calls each with the songs that a query finds, page by page.
func (n *navidrome) songs(ctx context.Context, query url.Values, each func(song)) error {
	const size, most = 500, 40 // songs, pages
	for page := range most {
		query.Set("_start", strconv.Itoa(page*size))
		query.Set("_end", strconv.Itoa((page+1)*size))
		var some []song
		if err := n.pages(ctx, "song", query, &some); err != nil {
			return err
		}
		for _, s := range some[:min(len(some), size)] {
			each(s)
		}
		if len(some) < size {
			return nil
		}
	}
	return nil
}

// relative is a path in a library as Navidrome writes it, with / between names.
func relative(path, root string) string {
	in, _ := pathmap.Within(path, root)
	if strings.Contains(root, `\`) && !strings.HasPrefix(root, "/") {
		in = strings.ReplaceAll(in, `\`, "/")
	}
	return in
}
