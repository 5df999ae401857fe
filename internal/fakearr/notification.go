package fakearr

import (
	"cmp"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
)

const connectionLimit = 1 << 20

func (a *Arr) notificationRoutes() {
	a.get("notification", func(*http.Request) any {
		all := slices.Clone(a.connections)
		slices.SortStableFunc(all, func(x, y *connection) int { return cmp.Compare(x.name, y.name) })
		return each(all, a.resource)
	})
	a.get("notification/schema", func(*http.Request) any {
		return []object{a.resource(&connection{settings: settings{method: 1}})}
	})
	a.get("notification/{id}", func(r *http.Request) any {
		if c := a.connection(pathID(r)); c != nil {
			return a.resource(c)
		}
		return nil
	})
	a.handle("DELETE", "notification/{id}", a.deleteConnection)
	a.handle("POST", "notification", a.createConnection)
	a.handle("PUT", "notification/{id}", a.updateConnection)
	a.handle("POST", "notification/test", a.testConnection)
	a.handle("POST", "notification/testall", a.testAll)
}

// Connect registers a webhook as a user would who asks for every event, and does not
// test it.
func (a *Arr) Connect(name, url string) {
	a.state.Lock()
	defer a.state.Unlock()
	c := &connection{id: a.id("connection"), name: name, flags: map[string]bool{}, settings: settings{url: url, method: 1}}
	for _, flag := range a.profile.flags {
		c.flags[flag] = true
	}
	a.connections = append(a.connections, c)
}

func (a *Arr) deleteConnection(w http.ResponseWriter, r *http.Request) {
	a.state.Lock()
	c := a.connection(pathID(r))
	a.connections = slices.DeleteFunc(a.connections, func(o *connection) bool { return o == c })
	a.state.Unlock()
	if c == nil {
		notFound(w)
		return
	}
	writeJSON(w, http.StatusOK, object{})
}

// received reads the connection that a client sent and checks it.
func (a *Arr) received(w http.ResponseWriter, r *http.Request, routeID int, always bool) (c, existing *connection, ok bool) {
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, connectionLimit))
	if err != nil {
		problem(w, http.StatusBadRequest, err)
		return nil, nil, false
	}
	a.state.Lock()
	defer a.state.Unlock()
	c, body, err := a.parse(raw, nil)
	if err != nil {
		problem(w, http.StatusBadRequest, err)
		return nil, nil, false
	}
	id := c.id
	if routeID > 0 && !a.profile.idFromBody {
		id = routeID
	}
	if existing = a.connection(id); existing != nil {
		// The first reading told the id; this one keeps what the client did not see.
		c, body, err = a.parse(raw, existing)
		if err != nil {
			problem(w, http.StatusBadRequest, err)
			return nil, nil, false
		}
	}
	c.id = id
	failures := a.check(c, body)
	if len(failures) == 0 && (always || a.enabled(c)) {
		failures = c.checkSettings()
	}
	if len(failures) > 0 {
		writeJSON(w, http.StatusBadRequest, failures)
		return nil, nil, false
	}
	return c, existing, true
}

func (a *Arr) createConnection(w http.ResponseWriter, r *http.Request) {
	c, _, ok := a.received(w, r, 0, false)
	if !ok || a.enabled(c) && !a.passes(w, r, c) {
		return
	}
	a.state.Lock()
	c.id = a.id("connection")
	a.connections = append(a.connections, c)
	saved := a.resource(c)
	a.state.Unlock()
	writeJSON(w, http.StatusCreated, saved)
}

// updateConnection tests what it saves unless forceSave is set. Creating does not know
// this way round the test.
func (a *Arr) updateConnection(w http.ResponseWriter, r *http.Request) {
	c, existing, ok := a.received(w, r, pathID(r), false)
	if !ok {
		return
	}
	if existing == nil {
		notFound(w)
		return
	}
	if a.enabled(c) && r.URL.Query().Get("forceSave") != "true" && !a.passes(w, r, c) {
		return
	}
	a.state.Lock()
	// The test has counted while it ran.
	c.backoff = existing.backoff
	*existing = *c
	saved := a.resource(existing)
	a.state.Unlock()
	writeJSON(w, http.StatusAccepted, saved)
}

func (a *Arr) testConnection(w http.ResponseWriter, r *http.Request) {
	c, _, ok := a.received(w, r, 0, true)
	if ok && a.passes(w, r, c) {
		writeJSON(w, http.StatusOK, object{})
	}
}

func (a *Arr) testAll(w http.ResponseWriter, r *http.Request) {
	a.state.Lock()
	var all []*connection
	for _, c := range a.connections {
		if a.enabled(c) && len(c.checkSettings()) == 0 {
			all = append(all, c)
		}
	}
	a.state.Unlock()
	status, results := http.StatusOK, []object{}
	for _, c := range all {
		failures := []failure{}
		var refused *statusError
		switch err := a.test(r.Context(), c); {
		case errors.As(err, &refused):
			status = http.StatusBadRequest
			failures = append(failures, a.testFailure(c, err))
		case err != nil:
			problem(w, http.StatusInternalServerError, err)
			return
		}
		results = append(results, object{{"id", c.id}, {"isValid", len(failures) == 0}, {"validationFailures", failures}})
	}
	writeJSON(w, status, results)
}

// passes tests a connection, or answers why that failed: only a refusal is told as
// something that the user can mend.
func (a *Arr) passes(w http.ResponseWriter, r *http.Request, c *connection) bool {
	var refused *statusError
	switch err := a.test(r.Context(), c); {
	case err == nil:
		return true
	case errors.As(err, &refused):
		writeJSON(w, http.StatusBadRequest, []failure{a.testFailure(c, err)})
	default:
		problem(w, http.StatusInternalServerError, err)
	}
	return false
}

func (a *Arr) testFailure(c *connection, err error) failure {
	return refuse("Url", a.profile.testPrefix+"Unable to post to webhook: "+err.Error(), c.settings.url)
}

// pathID is the id in the path. What is no number is nobody's id.
func pathID(r *http.Request) int {
	id, err := strconv.Atoi(r.PathValue("id"))
	if err != nil {
		return -1
	}
	return id
}
