package kubelet

import (
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"kiban.dev/kiban/lab/images"
)

// ServedPorts are the ports on which the pod answers HTTP: those that its annotation lists, or with "true" each TCP port that it declares.
func ServedPorts(pod *corev1.Pod) []int32 {
	said := pod.Annotations[AnnotationServe]
	if said == "true" {
		return declaredPorts(pod)
	}
	var ports []int32
	for text := range strings.SplitSeq(said, ",") {
		if n, err := strconv.ParseUint(strings.TrimSpace(text), 10, 16); err == nil && n > 0 {
			ports = append(ports, int32(n))
		}
	}
	return ports
}

func declaredPorts(pod *corev1.Pod) []int32 {
	var ports []int32
	for _, c := range pod.Spec.Containers {
		for _, p := range c.Ports {
			if p.Protocol == "" || p.Protocol == corev1.ProtocolTCP {
				ports = append(ports, p.ContainerPort)
			}
		}
	}
	return ports
}

// opening returns what makes the pod listen on an address: HTTP that says who answers, webhooks, both or neither.
func opening(pod *corev1.Pod, authority *images.Authority) func(ip string) ([]*http.Server, error) {
	key, hooked := pod.Namespace+"/"+pod.Name, len(images.Webhooks(pod)) > 0
	served := map[int32]bool{}
	for _, port := range ServedPorts(pod) {
		served[port] = true
	}
	ports := served
	if hooked {
		ports = map[int32]bool{}
		for _, port := range declaredPorts(pod) {
			ports[port] = true
		}
		for port := range served {
			ports[port] = true
		}
	}
	return func(ip string) ([]*http.Server, error) {
		var servers []*http.Server
		for port := range ports {
			l, err := net.Listen("tcp", ListeningAt(ip, int(port)))
			if err != nil {
				closeAll(servers)
				return nil, err
			}
			server := &http.Server{ReadHeaderTimeout: 5 * time.Second, Handler: whoAnswers(key, served[port])}
			if hooked {
				l, server.Handler = authority.Listener(l), eitherHandler(images.Allow(), server.Handler)
			}
			go func() { _ = server.Serve(l) }() // ends by close
			servers = append(servers, server)
		}
		return servers, nil
	}
}

// whoAnswers says which pod it is.
func whoAnswers(key string, serves bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !serves {
			http.NotFound(w, r)
			return
		}
		w.Header().Set(PodHeader, key)
		_, _ = io.WriteString(w, key+"\n")
	})
}

// eitherHandler hands requests over by whether they came through TLS.
func eitherHandler(encrypted, plain http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.TLS != nil {
			encrypted.ServeHTTP(w, r)
			return
		}
		plain.ServeHTTP(w, r)
	})
}
