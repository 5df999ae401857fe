package sdk

import (
	"reflect"
	"slices"
	"sync"
)

// knownSecrets are those of every configuration that a process was given: what is not
// logged for one instance may hold any of them. They only grow, for a goroutine may log
// what it has from a former one.
type knownSecrets struct {
	mu      sync.RWMutex
	secrets []Secret
	all     redactor
}

// add learns the secrets of a configuration.
func (k *knownSecrets) add(config any) {
	k.mu.Lock()
	defer k.mu.Unlock()
	known := len(k.secrets)
	collectSecrets(reflect.ValueOf(config), map[uintptr]bool{}, func(secret string) {
		if !slices.Contains(k.secrets, Secret(secret)) {
			k.secrets = append(k.secrets, Secret(secret))
		}
	})
	if len(k.secrets) > known {
		k.all = newRedactor(k.secrets)
	}
}

func (k *knownSecrets) text(s string) string {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return k.all.text(s)
}
