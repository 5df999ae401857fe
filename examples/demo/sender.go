package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/hookarr/hookarr/examples/payloads"
	"github.com/hookarr/hookarr/sdk/signature"
)

// burst is how many imports come at once, as when a season of downloads finishes.
const burst = 40

// send posts every sample and the burst, eight at a time. Each must be accepted.
func send(ctx context.Context, server, secret string, book *tally) error {
	signer, err := signature.New(signature.GitHub(), secret)
	if err != nil {
		return err
	}
	samples, err := payloads.Of("radarr")
	if err != nil {
		return err
	}
	for n := range burst {
		samples = append(samples, payloads.Sample{Name: "import", Body: fmt.Appendf(nil, movieImport, 1000+n)})
	}
	book.posts = len(samples)
	var group errgroup.Group
	group.SetLimit(8)
	for _, sample := range samples {
		group.Go(func() error {
			start := time.Now()
			id, err := post(ctx, signer, server+"/hooks/radarr", sample.Body)
			if err != nil {
				return fmt.Errorf("send %s: %w", sample.Name, err)
			}
			book.accepted(id, start)
			return nil
		})
	}
	return group.Wait()
}

// post sends one webhook, signed the way GitHub signs its own, and returns the id of
// the event that it became.
func post(ctx context.Context, signer *signature.Signer, url string, body []byte) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/json")
	if err := signer.Sign(req.Header, "", time.Now(), body); err != nil {
		return "", err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return "", err
	}
	if resp.StatusCode != http.StatusAccepted {
		return "", fmt.Errorf("%s: %s", resp.Status, answer)
	}
	var accepted struct {
		ID string `json:"id"`
	}
	return accepted.ID, json.Unmarshal(answer, &accepted)
}

// movieImport is what Radarr posts when it has imported a film.
const movieImport = `{
  "eventType": "Download", "instanceName": "Radarr", "isUpgrade": false,
  "movie": {"id": %[1]d, "title": "Movie %[1]d", "year": 2024, "folderPath": "/movies/Movie %[1]d", "tmdbId": %[1]d},
  "movieFile": {"id": %[1]d, "relativePath": "movie.mkv", "path": "/movies/Movie %[1]d/movie.mkv",
    "quality": "WEBDL-1080p", "qualityVersion": 1, "size": 4823449711},
  "downloadClient": "qBittorrent", "downloadClientType": "qBittorrent", "downloadId": "MOVIE%[1]d"
}`
