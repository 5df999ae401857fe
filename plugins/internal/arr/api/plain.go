package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
)

// tested makes a call during which the application tests the connection.
func (j *job) tested(ctx context.Context, method, path string, c connection, into any) error {
	_, err := j.client.call(ctx, method, path, nil, c, into)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("%s has got no answer from %s yet: is that how Hookarr is reached from there?", j.app.Name, place(j.request.URL))
	}
	return errors.New(j.plain(err))
}

// plain says in a sentence why the application did not do what was asked of its
// connection, most often because its test of the connection failed.
func (j *job) plain(err error) string {
	refused, isRefusal := errors.AsType[*refusal](err)
	failed, isFailure := errors.AsType[*failure](err)
	text := err.Error()
	if isRefusal {
		text = strings.Join(refused.reasons, "; ")
	}
	if j.request.URL != "" {
		text = strings.ReplaceAll(text, j.request.URL, place(j.request.URL))
	}
	app, at := j.app.Name, place(j.request.URL)
	if isRefusal {
		// "HTTP request failed: [401:Unauthorized] [POST] at [http://…]"
		if m := regexp.MustCompile(`\[(\d{3}):`).FindStringSubmatch(text); m != nil {
			return j.answered(m[1], text)
		}
		return fmt.Sprintf("%s refused the connection: %s", app, text)
	}
	if !isFailure || failed.status != http.StatusInternalServerError {
		return text
	}
	// An application that gets no answer fails itself.
	if regexp.MustCompile(`(?i)\b(ssl|tls|certificate|x509|https client)\b`).MatchString(text) {
		return fmt.Sprintf("%s does not trust the TLS certificate of %s, or there is no TLS: use a trusted one, http, or turn Certificate Validation off in its settings (%s)", app, at, text)
	}
	return fmt.Sprintf("%s cannot reach %s: is that how Hookarr is reached from there? (%s)", app, at, text)
}

// answered says what the answer to an application's test means.
func (j *job) answered(status, text string) string {
	app, at := j.app.Name, place(j.request.URL)
	switch status {
	case "401":
		return fmt.Sprintf("Hookarr at %s refused the credential that %s sends (401): restart hookarr serve if its configuration changed, or check what answers at %s", at, app, at)
	case "403":
		return fmt.Sprintf("Hookarr at %s does not let %s in from where it is (403): see allow_from", at, app)
	case "404":
		return fmt.Sprintf("nothing at %s takes webhooks (404): the address or the name of the source is wrong", at)
	case "405":
		return fmt.Sprintf("something other than Hookarr answers at %s (405)", at)
	case "422":
		return fmt.Sprintf("the source at %s is for another application than %s (422)", at, app)
	case "503":
		return fmt.Sprintf("Hookarr at %s cannot store webhooks at present (503)", at)
	}
	return fmt.Sprintf("%s did not get through to Hookarr at %s: %s", app, at, text)
}
