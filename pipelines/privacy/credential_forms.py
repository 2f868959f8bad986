"""Credentials that can be recognized by their form alone: the prefixes that vendors document for their keys and tokens.

A key without a prefix of its own (32 hexadecimal digits, say) looks like any id, and is only recognized by its name.
"""

from __future__ import annotations

import re

_HEX = "[0-9a-f]"
_UUID = rf"{_HEX}{{8}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{12}}"

FORMS = {
    "OpenAI, Anthropic, ElevenLabs, Stripe and others": r"(?:[sr]k[-_]|xi[-_])(?=[A-Za-z_-]*\d)[A-Za-z0-9_-]{16,}",
    "ElevenLabs (old)": rf"xi{_HEX}{{24,}}(?![A-Za-z0-9])",
    "1Password": r"ops_eyJ[\w-]{20,}",
    "Adobe, age": r"p8e-[A-Za-z0-9]{32}|AGE-SECRET-KEY-1[0-9A-Z]{20,}",
    "Airtable": r"pat[A-Za-z0-9]{14}\.[0-9a-f]{64}",
    "Alibaba": r"LTAI[A-Za-z0-9]{16,24}(?![A-Za-z0-9])",
    "Apify": r"apify_api_[A-Za-z0-9]{20,}",
    "Artifactory": r"AKCp\w{60,}",
    "Atlassian, Bitbucket": r"(?:ATATT3x|ATCTT3x|ATBB)[\w=-]{20,}",
    "AWS": r"(?:AKIA|ASIA|ABIA|ACCA)[0-9A-Z]{16}(?![A-Za-z0-9])|ABSK[A-Za-z0-9+/=]{40,}",
    "Azure AD": r"[A-Za-z0-9_~.]{3}\dQ~[A-Za-z0-9_~.-]{31,34}",
    "Brevo": r"x(?:key|smtp)sib-[0-9a-f]{32,}(?:-\w+)?",
    "Buildkite, CircleCI": r"bkua_[0-9a-f]{40}|CCIPAT_\w{20,}",
    "Cal.com": r"cal_(?:live_)?[0-9a-f]{32}",
    "Clojars, RubyGems, NuGet": r"CLOJARS_[0-9a-z]{60}|rubygems_[0-9a-f]{40,}|oy2[a-z0-9]{43}(?![A-Za-z0-9])",
    "Contentful, Figma": r"CFPAT-[\w-]{30,}|fig[dour]_[\w-]{20,}",
    "Databricks": r"dapi[0-9a-f]{32}(?:-\d)?",
    "DigitalOcean": r"do[opr]_v1_[0-9a-f]{40,}",
    "Discord": r"[MNO][A-Za-z0-9_-]{23,26}\.[\w-]{6}\.[\w-]{27,}",
    "Docker": r"dckr_[op]at_[\w-]{20,}",
    "Doppler": r"dp\.(?:pt|st|ct|scim|audit|sa)\.[\w.-]{20,}",
    "Dropbox": r"sl\.(?:u\.)?[\w-]{60,}",
    "Duffel, Mercado Pago": r"duffel_(?:live|test)_[\w-]{20,}|APP_USR-\d+-\d+-[0-9a-f]{32}-\d+",
    "Dynatrace": r"dt0[a-z]\d\d\.[A-Z0-9]{24}\.[A-Z0-9]{40,}",
    "EasyPost, Flutterwave": r"EZ[AT]K[0-9A-Za-z]{30,}|FLWSECK(?:_TEST)?-[0-9A-Za-z-]{12,}",
    "Facebook, Square": r"EAA[A-Za-z0-9_-]{50,}",
    "Fly.io": r"fo1_[\w-]{40,}|fm[12][ar]?_[A-Za-z0-9+/=_-]{60,}",
    "GitHub": r"(?:gh[pousr]|github_pat)_\w{20,}",
    "GitLab": r"gl(?:pat|dt|rt|rtr|cbt|ptt|ft|imt|agent|oas|soat|ffct|wt)-[\w.-]{16,}|GR1348941[\w-]{20}",
    "Google": r"AIza[\w-]{30,}|ya29\.[\w-]{16,}|GOCSPX-[\w-]{20,}|1//0[\w-]{30,}",
    "Grafana": r"gl(?:c|sa)_[A-Za-z0-9+/=_]{20,}",
    "Groq, xAI, Perplexity, Replicate": r"gsk_[A-Za-z0-9]{20,}|xai-[A-Za-z0-9]{20,}|pplx-[A-Za-z0-9]{20,}|r8_\w{30,}",
    "HashiCorp": r"hv[sbr]\.[\w-]{20,}|[A-Za-z0-9]{14}\.atlasv1\.[\w-]{40,}",
    "Heroku, Render, Netlify": r"HRKU-[\w-]{30,}|rnd_[A-Za-z0-9]{20,}|nfp_[A-Za-z0-9]{20,}",
    "HubSpot": rf"pat-(?:na|eu|ap)\d-{_UUID}",
    "Hugging Face": r"(?:hf|api_org)_[A-Za-z0-9]{20,}",
    "Intra42, LangSmith, Langfuse": r"s-s4t2(?:ud|af)-[0-9a-f]{40,}|lsv2_(?:pt|sk)_[0-9a-f]{20,}\w*|pk-lf-[\w-]{30,}",
    "Jina, Tavily, Firecrawl, E2B": r"jina_\w{20,}|tvly-[\w-]{20,}|fc-[0-9a-f]{32}|e2b_[0-9a-f]{30,}",
    "JWT": r"eyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*){0,3}",
    "LaunchDarkly": rf"(?:sdk|api|mob)-{_UUID}",
    "Linear, Notion": r"lin_(?:api|oauth)_[A-Za-z0-9]{20,}|ntn_[A-Za-z0-9]{30,}|secret_[A-Za-z0-9]{40,}",
    "Mailchimp": r"[0-9a-f]{32}-us\d{1,2}(?![A-Za-z0-9])",
    "Mailgun, Klaviyo": rf"key-{_HEX}{{32}}|pubkey-{_HEX}{{32}}|pk_{_HEX}{{34}}(?![A-Za-z0-9])",
    "Mapbox": r"sk\.eyJ[\w-]{20,}\.[\w-]{10,}",
    "Neon, Supabase, Pinecone": r"napi_[A-Za-z0-9]{30,}|sbp_[0-9a-f]{40}|sb_secret_[\w-]{20,}|pcsk_\w{20,}",
    "New Relic": r"NR(?:AK|II|IQ|RA|AA|JS)-[A-Za-z0-9_-]{19,}",
    "npm": r"npm_[A-Za-z0-9]{20,}",
    "OpenShift": r"sha256~[\w-]{40,}",
    "PayPal": r"access_token\$(?:production|sandbox)\$[0-9a-z]{16}\$[0-9a-f]{32}",
    "Plaid": rf"access-(?:sandbox|development|production)-{_UUID}",
    "PlanetScale": r"pscale_(?:tkn|pw|oauth)_[\w.=-]{30,}",
    "PostHog": r"phx_[A-Za-z0-9]{30,}",
    "Postman, Prefect, Pulumi": r"PMAK-[0-9a-f]{24}-[0-9a-f]{34}|pn[ub]_[A-Za-z0-9]{30,}|pul-[0-9a-f]{40}",
    "PyPI": r"pypi-AgE[\w-]{30,}",
    "Razorpay": r"rzp_(?:live|test)_[A-Za-z0-9]{14,}",
    "Readme, Sentry": r"rdme_[0-9a-z]{60,}|sntry[su]_[A-Za-z0-9+/=_]{40,}",
    "Resend": r"re_[A-Za-z0-9]{8}_[A-Za-z0-9]{20,}",
    "Salesforce": r"00D[A-Za-z0-9]{12,15}![\w.]{40,}",
    "SendGrid": r"SG\.[\w-]{16,}\.[\w-]{16,}",
    "Shippo": r"shippo_(?:live|test)_[0-9a-f]{40}",
    "Shopify": r"shp(?:at|ca|pa|ss|ua|tka)_[0-9A-Fa-f]{32}",
    "Slack": r"xox[a-z](?:\.xox[a-z])?-[\w-]{16,}|xapp-\d-[\w-]{16,}",
    "SonarQube, Sourcegraph": r"sq[aup]_[0-9a-f]{40}|sgp_(?:[0-9a-z]+_)?[0-9a-f]{40}",
    "Square": r"sq0(?:atp|csp|idp)-[\w-]{20,}",
    "Stripe": r"whsec_[A-Za-z0-9+/=]{20,}",
    "Tailscale, Terraform": r"tskey-[a-z]+-[\w-]{10,}",
    "Telegram": r"\d{8,10}:AA[\w-]{32,34}(?![\w-])",
    "Telnyx": r"KEY0[0-9A-F]{28,}_\w{16,}",
    "Twilio": rf"SK{_HEX}{{32}}(?![A-Za-z0-9])",
    "Typeform": r"tfp_[\w-]{40,}",
    "Vercel, ngrok": r"vc[aikpr]_[A-Za-z0-9]{24,}|vercel_blob_rw_\w{30,}",
    "password hashes": r"\$(?:2[abxy]|5|6|7|y|argon2(?:id|i|d))\$[\w./$=,+-]{20,}",
}
"""Patterns by vendor; a credential begins where no letter or digit is before it."""

FORM = re.compile(rf"(?<![A-Za-z0-9])(?P<secret>{'|'.join(FORMS.values())})")
LONG_WORD = re.compile(r"[A-Za-z0-9_.~+/=:$!-]{16}")
"""A text without one has no credential that can be recognized by its form, except private keys."""

ADDRESSES = {
    "Slack": r"hooks\.slack\.com/(?:services|workflows|triggers)/(?P<slack>[\w/-]+)",
    "Discord": r"discord(?:app)?\.com/api/(?:v\d+/)?webhooks/\d+/(?P<discord>[\w-]+)",
    "Microsoft": r"webhook\.office\.com/webhookb2/(?P<office>[\w@/.-]+)",
    "Zapier, Make": r"hooks\.zapier\.com/hooks/catch/(?P<zapier>[\w/]+)|hook\.\w+\.make\.com/(?P<make>\w{20,})",
    "Telegram": r"api\.telegram\.org/bot(?P<telegram>[^/\s\"']+)",
    "IFTTT": r"maker\.ifttt\.com/trigger/\w+/(?:json/)?with/key/(?P<ifttt>[\w-]+)",
    "Google Chat": r"(?<=[?&]key=)(?P<chat>AIza[\w-]+)",
    "links to sign in": r"/(?:magic-?link|reset-?password|password-?reset|verify-?email|invite|sso|login)/"
    r"(?P<link>(?=[\w.-]*\d)[\w.-]{20,})",
}
"""Addresses of which a part is the credential, by vendor."""

ADDRESS = re.compile("|".join(ADDRESSES.values()), re.IGNORECASE)
