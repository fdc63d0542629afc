//! From a backend's settings to what its connector needs: secrets read, rules of safety kept.

use ::http::{HeaderMap, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::{
    backends::Target,
    config::{BackendConfig, Secret, danger, leaf::proxy_url},
    model::{Code, Fault},
    net::http::HttpSettings,
};

impl BackendConfig {
    /// What a connector needs, with every secret read now from this process's environment or its file.
    ///
    /// # Errors
    /// [`Code::BadConfig`] with the setting and the remedy: a variable or file that is missing, a key that would
    /// cross a network in the clear or to an unchecked certificate, a file that nobody trusted.
    pub fn target(&self) -> Result<Target, Fault> {
        self.target_in(&|name| std::env::var(name).ok())
    }

    /// As [`Self::target`], with the variables looked up by `env`.
    ///
    /// # Errors
    /// As [`Self::target`].
    pub fn target_in(&self, env: &dyn Fn(&str) -> Option<String>) -> Result<Target, Fault> {
        if let Some((_, message, fix)) = danger::of(self) {
            return Err(self.fault(message).with_fix(fix));
        }
        if let Some((_, message)) = danger::untrusted(self) {
            return Err(self.fault(message).with_fix(danger::TRUST_IT));
        }
        let mut target = Target::new(self.id.clone(), self.kind, self.url.clone());
        let mut headers = HeaderMap::with_capacity(self.headers.len());
        for (name, value) in &self.headers {
            headers.append(name.clone(), self.header(name.as_str(), value, env)?);
        }
        target.http = HttpSettings {
            connect: self.timeouts.connect,
            tls: self.tls.clone(),
            proxy: self.proxy(env)?,
            headers,
            key: self.api_key.as_ref().map(|key| self.read("api_key", key, env)).transpose()?,
            ..HttpSettings::default()
        };
        if let Some(login) = &self.login {
            target.login = Some((login.user.clone(), self.read("login.password", &login.password, env)?));
        }
        target.timeouts = self.timeouts;
        target.keepalive = self.keepalive;
        Ok(target)
    }

    fn header(
        &self,
        name: &str,
        value: &Secret,
        env: &dyn Fn(&str) -> Option<String>,
    ) -> Result<HeaderValue, Fault> {
        let text = self.read(&format!("headers.{name}"), value, env)?;
        let mut value = HeaderValue::from_str(text.expose_secret())
            .map_err(|_| self.fault(format!("`headers.{name}` has letters that no header has")))?;
        value.set_sensitive(true);
        Ok(value)
    }

    fn proxy(&self, env: &dyn Fn(&str) -> Option<String>) -> Result<Option<Url>, Fault> {
        let Some(proxy) = &self.proxy else { return Ok(None) };
        let text = self.read("proxy", proxy, env)?;
        proxy_url(text.expose_secret()).map(Some).map_err(|why| self.fault(format!("`proxy` {why}")))
    }

    fn read(
        &self,
        field: &str,
        secret: &Secret,
        env: &dyn Fn(&str) -> Option<String>,
    ) -> Result<SecretString, Fault> {
        secret.resolve(env).map_err(|why| {
            self.fault(format!("`{field}`: {why}")).with_fix(match secret {
                Secret::Env(name) => format!("Set {name} in the environment, or change `{field}`."),
                Secret::File(_) => format!("Write the secret into that file, or change `{field}`."),
                Secret::Inline(_) => format!("Change `{field}`."),
            })
        })
    }

    fn fault(&self, message: impl AsRef<str>) -> Fault {
        Fault::new(Code::BadConfig, format!("backend `{}`: {}", self.id, message.as_ref()))
    }
}

#[cfg(test)]
mod tests;
