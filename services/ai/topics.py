"""Products and parts of products that have troubles of their own.

A text that names one is not about a card that does not know it, whatever else they share: "Outlook for Mac
crashes" is no matter of Outlook for Windows. What several cards deal with and people mention in passing
(Outlook, Teams, a laptop) is none.
"""

TOPICS = (
    # Operating systems and what runs on them
    "Mac", "macOS", "MacBook", "Linux", "Ubuntu", "Debian", "Red Hat", "Chromebook", "ChromeOS",
    "Raspberry", "Docker", "Kubernetes", "Citrix", "Azure Virtual Desktop", "AVD", "Windows 365",
    "Parallels", "Proxmox", "AWS", "Azure DevOps", "GitHub", "GitLab", "Jenkins", "Terraform",
    # Parts of Microsoft 365 that are no mailbox, library or meeting
    "365 group", "group mailbox", "public folder", "Outlook rule", "rules", "retention label",
    "retention policy", "policy tip", "DLP", "eDiscovery", "Power BI", "Power Automate", "Power Apps",
    "Planner", "Yammer", "OneNote", "Visio", "Dynamics", "Copilot", "Excel", "Word", "PowerPoint",
    "pivot", "add-in", "mail merge", "signature", "Teams Room", "Surface Hub", "SharePoint list",
    "web part", "Exchange Server", "webinar", "Lync", "Skype",
    # Other makers
    "Salesforce", "HubSpot", "Zendesk", "ServiceNow", "Jira", "Confluence", "Atlassian", "Slack", "Zoom",
    "Webex", "GoToMeeting", "WhatsApp", "Telegram", "Facebook", "Instagram", "LinkedIn", "YouTube",
    "Spotify", "Netflix", "Dropbox", "Google Drive", "Google Workspace", "Google Docs",
    "Google Calendar", "Gmail", "iCloud", "Siri", "Apple Watch", "Apple TV", "AirPods", "FaceTime",
    "HomeKit", "Thunderbird", "Apple Mail", "Lotus Notes", "GroupWise", "Adobe", "Acrobat", "Photoshop",
    "Illustrator", "InDesign", "Lightroom", "AutoCAD", "Revit", "SolidWorks", "SketchUp", "ArcGIS",
    "MATLAB", "QuickBooks", "Sage", "Xero", "DATEV", "SAP", "NetSuite", "Oracle", "MySQL", "PostgreSQL",
    "MongoDB", "FileMaker", "Bloomberg", "Tableau", "Lexware", "Shopify", "Magento", "WordPress",
    "Joomla", "plugin", "Mailchimp", "DocuSign", "Notion", "Asana", "Trello", "Canva", "Okta",
    "LastPass", "1Password", "KeePass", "Bitwarden", "Home Assistant", "Alexa", "Sonos", "PlayStation",
    "Xbox",
    # Things that are no computers
    "badge reader", "door reader", "CCTV", "camera recorder", "projector", "beamer", "card terminal",
    "cash register", "barcode", "plotter", "franking", "smart TV", "coffee machine", "thermostat",
    "intercom", "vehicle", "brakes", "goalkeeper", "building inspector", "teams lunch", "team lunch",
)  # fmt: skip
