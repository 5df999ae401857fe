package app

import (
	"net/http"
	"path"
)

// withoutRedirects answers 404 to the paths that a ServeMux would answer with a redirect
// to a cleaned one. The Arr apps take a redirect for success: the event would be gone.
func withoutRedirects(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isClean(r.URL.Path) {
			http.NotFound(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func isClean(p string) bool {
	clean := path.Clean("/" + p)
	return p == clean || p == clean+"/" && clean != "/"
}
